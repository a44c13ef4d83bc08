/** Kinds of hosts by name. A new kind is one file and one line here. */
import { build } from './build.js';
import { docker } from './docker.js';
import { gvisor } from './gvisor.js';
import type { HostKind, Roles } from './host.js';
import { local } from './local.js';
import { netns } from './netns.js';
import { ssh } from './ssh.js';

export const hostKinds: readonly HostKind[] = [local, netns, docker, gvisor, ssh, build];

/** @param text NAME or NAME:ARGUMENT, as users write it. @throws Error in one sentence */
export async function openHost(text: string): Promise<Roles> {
  const [name, argument = null] = text.split(/:(.*)/s);
  const kind = hostKinds.find(({ id }) => id === name);
  if (!kind) throw new Error(`unknown host '${text}': known are ${hostKinds.map(({ id }) => id).join(', ')}`);
  return kind.open(argument);
}
