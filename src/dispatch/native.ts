/** The poller part of the addon, loaded once and checked against layout.ts. */
import { addon } from '../addon.js';
import type { BackendName } from '../contract/common.js';
import type { BackendProbe } from '../contract/probe.js';
import type { Capabilities } from '../contract/server.js';
import { howToBuild } from '../installation.js';
import { disagreement, type layout as ours } from './layout.js';

export interface PollerExports {
  layout(): typeof ours;
  backends(): BackendProbe[];
  /** @param system as uname names it */
  ownBackend(system: string): BackendName;
  clientBackend(): BackendName;
  pollerWaitAtLeast(handle: number, microseconds: number): void;
  pollerOpen(backend: string, buffer: ArrayBuffer, maxEvents: number, maxChanges: number): number;
  pollerClose(handle: number): void;
  pollerTurn(handle: number, changes: number, timeoutUs: number): number;
  pollerAdd(handle: number, fd: number, interest: number): number;
  pollerModify(handle: number, slot: number, interest: number): number;
  pollerRearm(handle: number, slot: number): number;
  pollerForget(handle: number, slot: number): number;
  pollerCurrent(handle: number, row: number): boolean;
  pollerCounters(handle: number, into: BigUint64Array): void;
  pollerCapabilities(handle: number): Capabilities;
}

export const native = addon<PollerExports>();

const different = disagreement(native.layout());
if (different !== null) {
  throw new Error(`the native addon is of another version than this package (${different}): ${howToBuild}`);
}
