/** How to start the session client: one step of a ramp in a process of its own. */
import type { SessionSpec } from '../contract/ramp.js';
import type { Command } from '../hosts/host.js';
import { clientProgram } from './client.js';

/** It prints `ready`, waits for a line `start <nanoseconds>` on stdin, prints `result`; the end of stdin ends it. */
export const sessionCommand = (spec: SessionSpec, threads = 1): Command =>
  clientProgram('session', [JSON.stringify(spec), `${threads}`]);
