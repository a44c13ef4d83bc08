/** The line of a program that is started with its CPUs kept awake, before its own. */
import { z } from 'zod';
import { count } from './common.js';

export const awake = z.object({
  /** CPUs that no longer sleep; none where the system cannot do it */
  cpus: z.array(count),
  /** why it cannot */
  reason: z.string().nullable(),
});
export type Awake = z.infer<typeof awake>;
