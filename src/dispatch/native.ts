/** The poller part of the addon, loaded once and checked against layout.ts. */
import { isDeepStrictEqual } from 'node:util';
import { addon } from '../addon.js';
import type { BackendName } from '../contract/common.js';
import type { Capabilities } from '../contract/server.js';
import { layout } from './layout.js';

/** What one backend is on this system. */
export interface BackendProbe {
  readonly name: BackendName;
  /** the operating system's facility, e.g. "epoll" */
  readonly mechanism: string;
  readonly trigger: Capabilities['trigger'];
  readonly available: boolean;
  /** errno name, null when available */
  readonly errno: string | null;
  /** why not, for a person; empty when available */
  readonly reason: string;
  readonly capabilities: Capabilities | null;
}

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
