/** How the program is started that drives a real wrk. */
import { z } from 'zod';
import { count } from '../contract/common.js';
import type { Program } from '../hosts/program.js';
import { clientProgram } from './client.js';

export const wrkProgramSpec = z.strictObject({
  target: z.strictObject({ host: z.string(), port: count }),
  path: z.string().startsWith('/'),
  connections: count.min(1),
  threads: count.min(1),
  durationS: z.number().positive(),
  warmupS: z.number().nonnegative(),
  timeoutS: z.number().positive(),
  /** CPUs of wrk; empty: wherever the system lets it run */
  cpus: z.array(count),
});
export type WrkProgramSpec = z.infer<typeof wrkProgramSpec>;

export const wrkProgram = (spec: WrkProgramSpec): Program => clientProgram('wrk', [JSON.stringify(spec)]);
