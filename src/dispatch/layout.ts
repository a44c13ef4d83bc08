/**
 * The memory layout that the addon and TypeScript share. The addon reports its own (`layout()`), and loading fails when
 * the two disagree, so that a stale build is one clear sentence and not a wrong figure.
 */
import type { Counters } from '../contract/server.js';

export const layout = {
  statusWords: 8,
  eventWords: 4,
  changeWords: 3,
  counterWords: 11,
  rearm: 4,
  readable: 1,
  writable: 2,
  error: 4,
  hangup: 8,
  readClosed: 16,
  invalid: 32,
} as const;

/** Words of the status; see native/addon/poller.h. */
export const Status = {
  count: 0,
  saturated: 1,
  interrupted: 2,
  error: 3,
  changeErrors: 4,
  forgotten: 5,
} as const;

/** Counters in the order of native/dispatch/backend.h. */
export const counterNames = [
  'waits',
  'emptyWaits',
  'saturatedWaits',
  'events',
  'rawEvents',
  'changeCalls',
  'changes',
  'stale',
  'spurious',
  'rearms',
  'interrupted',
] as const satisfies readonly (keyof Counters)[];

/** What a caller wants to hear about a descriptor. */
export const Interest = { none: 0, read: 1, write: 2, both: 3 } as const;
export type Interest = (typeof Interest)[keyof typeof Interest];

/** In a row of changes, instead of an interest: arm a one-shot registration again. */
export const REARM = layout.rearm;

/** Bits of an event's flags. Only readable and writable are promised by every backend; the others are hints. */
export const Flag = {
  readable: layout.readable,
  writable: layout.writable,
  error: layout.error,
  hangup: layout.hangup,
  readClosed: layout.readClosed,
  invalid: layout.invalid,
} as const;

/** Words of an event row. */
export const Event = { slot: 0, generation: 1, flags: 2, aux: 3 } as const;

/** Words of a change row. */
export const Change = { fd: 0, wanted: 1, result: 2 } as const;
