/**
 * What the addon and TypeScript share: the layout of memory, and lists that both have to have in one order. The addon
 * reports its own (`layout()`), and loading fails when the two disagree, so that a stale build is one clear sentence and
 * not a wrong figure.
 */
import { isDeepStrictEqual } from 'node:util';
import { capabilityNames, counterNames } from '../contract/names.js';
import { nativeServerOptions } from '../contract/server-options.js';

export const layout = {
  statusWords: 8,
  eventWords: 4,
  changeWords: 3,
  rearm: 4,
  readable: 1,
  writable: 2,
  error: 4,
  hangup: 8,
  readClosed: 16,
  invalid: 32,
  /** room of one receive, bytes */
  receiveWindow: 65536,
  counters: counterNames,
  capabilities: capabilityNames,
  serverOptions: nativeServerOptions,
} as const;

type Layout = Record<string, unknown>;

/** What differs between this package and an addon, in words; null when nothing does. */
export function disagreement(addon: Layout, ours: Layout = layout): string | null {
  const names = [...new Set([...Object.keys(ours), ...Object.keys(addon)])];
  const name = names.find((one) => !isDeepStrictEqual(addon[one], ours[one]));
  if (name === undefined) return null;
  const shown = (value: unknown) => (value === undefined ? 'nothing' : [value].flat().join(', '));
  return `${name}: the addon has ${shown(addon[name])}; the package has ${shown(ours[name])}`;
}

/** Words of the status; see native/addon/poller.h. */
export const Status = {
  count: 0,
  saturated: 1,
  interrupted: 2,
  error: 3,
  changeErrors: 4,
  forgotten: 5,
} as const;

/** What a caller wants to hear about a registration. */
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

/** Words of an event row, and how many they are. */
export const Event = { slot: 0, generation: 1, flags: 2, aux: 3, words: layout.eventWords } as const;

/** Words of a change row, and how many they are. */
export const Change = { slot: 0, wanted: 1, result: 2, words: layout.changeWords } as const;
