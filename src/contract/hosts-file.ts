/** Hosts as a user declares them, in hosts.yaml or in a plan. */
import { z } from 'zod';
import { count, identifier } from './common.js';

const cpuList = z.array(count).min(1);

export const declaredHost = z.strictObject({
  /** of figures taken there */
  name: identifier,
  /** as behind --host: 'docker', 'docker:host', 'ssh:user@box' */
  kind: z.string().min(1),
  resources: z
    .strictObject({
      /** CPUs that our programs there get, the last ones; left out: all that the host has */
      cpus: count.min(1).optional(),
    })
    .default({}),
  /** CPUs that programs are pinned to; left out: chosen by the run */
  pin: z.strictObject({ server: cpuList.optional(), client: cpuList.optional() }).default({}),
  /** server: its client is where that kind of host has it, outside; both: the client is inside as well */
  role: z.enum(['server', 'both']).default('server'),
});
export type DeclaredHost = z.infer<typeof declaredHost>;

/** A host as it is asked for: NAME or NAME:ARGUMENT as behind --host, or declared. */
export const wantedHost = z.union([z.string().min(1), declaredHost]);
export type WantedHost = z.infer<typeof wantedHost>;

export const hostsFile = z.strictObject({
  hosts: z
    .array(declaredHost)
    .min(1)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'two have one name'),
});

/** What it is called before it has been opened. */
export const wantedName = (wanted: WantedHost): string => (typeof wanted === 'string' ? wanted : wanted.name);
