/** How the program is started that makes each request by a curl process of its own. */
import { z } from 'zod';
import { count } from '../contract/common.js';
import type { Program } from '../hosts/program.js';
import { clientProgram } from './client.js';

export const curlSpec = z.strictObject({
  target: z.strictObject({ host: z.string(), port: count }),
  path: z.string().startsWith('/'),
  warmups: count,
  requests: count.min(1),
  cpus: z.array(count),
});
export type CurlSpec = z.infer<typeof curlSpec>;

export const curlProgram = (spec: CurlSpec): Program => clientProgram('curl', [JSON.stringify(spec)]);
