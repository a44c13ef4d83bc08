/** How to start the session client: one step of a ramp in a process of its own. */
import type { SessionSpec } from '../contract/ramp.js';
import type { Program } from '../hosts/program.js';
import { clientProgram } from './client.js';

/** setTimeout's longest delay. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * A step cannot take longer, milliseconds: every call may wait its full timeout, one after the other.
 * @param slackMs for a machine that is busy otherwise
 */
export function longestMs(spec: SessionSpec, slackMs = 60_000): number {
  return Math.min(
    longestTimerMs,
    (spec.connections / spec.rate) * 2000 + spec.timeoutMs * (spec.calls + 1) + slackMs,
  );
}

/** It prints `ready`, waits for a line `start <nanoseconds>` on stdin, prints `result`; the end of stdin ends it. */
export const sessionProgram = (spec: SessionSpec, threads = 1): Program =>
  clientProgram('session', [JSON.stringify(spec), `${threads}`]);
