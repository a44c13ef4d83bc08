/** The poller part of the addon, loaded once and checked against layout.ts. */
import { isDeepStrictEqual } from 'node:util';
import { addon } from '../addon.js';
import type { BackendProbe } from '../contract/probe.js';
import type { Capabilities } from '../contract/server.js';
import { layout } from './layout.js';

export interface PollerExports {
  layout(): typeof layout;
  backends(): BackendProbe[];
  pollerOpen(backend: string, buffer: ArrayBuffer, maxEvents: number, maxChanges: number): number;
  pollerClose(handle: number): void;
  pollerTurn(handle: number, changes: number, timeoutUs: number): number;
  pollerAdd(handle: number, fd: number, interest: number): number;
  pollerModify(handle: number, fd: number, interest: number): number;
  pollerRearm(handle: number, fd: number): number;
  pollerForget(handle: number, fd: number): number;
  pollerCurrent(handle: number, row: number): boolean;
  pollerCounters(handle: number, into: BigUint64Array): void;
  pollerCapabilities(handle: number): Capabilities;
}

export const native = addon<PollerExports>();

if (!isDeepStrictEqual(native.layout(), layout)) {
  throw new Error(
    "the native addon is of another version than this package: run 'npm run setup' to rebuild it",
  );
}
