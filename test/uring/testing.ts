/** What the addon of the tests has of io_uring. */
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { addonPath } from '../../src/addon.js';

export interface Through {
  error: number;
  reason: string;
  received: number;
  disordered: number;
  shortages: number;
  flags: number;
  enters: number;
  waits: number;
  submissions: number;
  completions: number;
  overflows: number;
}

/** Of Linux alone: `denyUring` and `uringThrough`. */
export interface UringTesting {
  uringReason(error: number, disabled: number, filtered: boolean, lockableBytes: number): string;
  uringProbe(): { error: number; reason: string };
  denyUring(errno: number): number;
  uringThrough(
    submissions: number,
    completions: number,
    sockets: number,
    buffers: number,
    messages: number,
  ): Through;
}

export const testing = createRequire(import.meta.url)(
  resolve(dirname(addonPath), 'dispatchbench_testing.node'),
) as UringTesting;

const { error, reason } = testing.uringProbe();
/** for the `skip` of a test */
export const withoutUring: string | false = error === 0 ? false : reason;
