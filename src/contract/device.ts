/**
 * A module with the works of a device (gateways/modules/rust/device.rs): what a call of it costs, what it makes of requests
 * wherever it runs, and in which ways a host has it run.
 */
import { z } from 'zod';
import { count, identifier, spentNs } from './common.js';

/** How a work is called. `native-json`: natively, but by requests and replies in JSON. */
export const callRows = ['bare', 'json', 'fresh', 'native-json'] as const;
export const callRow = z.enum(callRows);
export type CallRow = z.infer<typeof callRow>;

export const works = ['nothing', 'hello', 'sha256', 'network'] as const;
export const work = z.enum(works);
export type Work = z.infer<typeof work>;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What it was given, exactly, and what it made of it. */
const bytes = z.object({ sha256, bytes: count });

/** Nanoseconds a call, round by round: of rounds in which each way to call was measured once. */
const perCall = z.array(z.number().nonnegative()).min(1);

/** A program's line that has called a work again and again, each way in turn. */
export const callsLine = z.object({
  event: z.literal('calls'),
  module: bytes,
  /** digest of what the work makes: the same in each way, or the program would have failed */
  output: sha256,
  /** calls of the row in a round */
  calls: count.min(1),
  ns: z.object({
    row: perCall,
    /** the work by a bare call */
    bare: perCall,
    /** a bare call that does no work */
    nothing: perCall,
    /** the work in native code of the same source; null: the program has none */
    native: perCall.nullable(),
  }),
});
export type CallsLine = z.infer<typeof callsLine>;

/** A program's line that has let a module run once, as a command. */
export const ranLine = z.object({
  event: z.literal('ran'),
  module: bytes,
  output: bytes,
  elapsedNs: spentNs,
});
export type RanLine = z.infer<typeof ranLine>;

/** A way to have a module run, or something in its place, as a host has it. */
export const foundRuntime = z.object({
  name: identifier,
  /** runs the module once: requests on stdin, replies on stdout; null: it is not there, or does no such thing */
  once: z.array(z.string()).nullable(),
  /** measures calls, as flags behind it say, and tells `callsLine`; null: likewise */
  calls: z.array(z.string()).nullable(),
  /** makes as many instances as its last argument says, and tells `instancesLine`; null: likewise */
  instances: z.array(z.string()).nullable(),
  /** the module that it runs, by its path there; empty: none */
  module: z.string(),
  /** what is missing, and how to get it; empty: nothing */
  reason: z.string(),
});
export type FoundRuntime = z.infer<typeof foundRuntime>;
