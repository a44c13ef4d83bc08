/** What `dispatchbench probe --json` prints, one element per backend the suite knows. */
import { z } from 'zod';
import { backendName } from './common.js';
import { capabilities } from './server.js';

export const backendProbe = z.object({
  name: backendName,
  /** the operating system's facility, e.g. "epoll" */
  mechanism: z.string(),
  trigger: capabilities.shape.trigger,
  available: z.boolean(),
  /** errno name, null when available */
  errno: z.string().nullable(),
  /** why not, for a person; empty when available */
  reason: z.string(),
  /** null when not available */
  capabilities: capabilities.nullable(),
});
export type BackendProbe = z.infer<typeof backendProbe>;
