/** How the program is started that drives a real iperf3. */
import { z } from 'zod';
import { count } from '../contract/common.js';
import type { Program } from '../hosts/program.js';
import { clientProgram } from './client.js';

const common = {
  /** numeric, of the receiver */
  address: z.string(),
  /** CPUs of iperf3; empty: wherever the system lets it run */
  cpus: z.array(count),
};

export const iperf3ProgramSpec = z.discriminatedUnion('role', [
  z.strictObject({ ...common, role: z.literal('receiver') }),
  z.strictObject({
    ...common,
    role: z.literal('sender'),
    port: count,
    streams: count.min(1),
    chunk: count.min(1),
    congestion: z.string(),
    durationMs: count.min(1),
    zeroCopy: z.boolean(),
  }),
]);
export type Iperf3ProgramSpec = z.infer<typeof iperf3ProgramSpec>;

export const iperf3Program = (spec: Iperf3ProgramSpec): Program =>
  clientProgram('iperf3', [JSON.stringify(spec)]);
