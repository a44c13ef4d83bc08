/** Kinds of hosts by name. A new kind is one file and one line here. */
import { build } from './build.js';
import { docker } from './docker.js';
import { gvisor } from './gvisor.js';
import type { HostKind, Roles } from './host.js';
import { parseLink } from './link-text.js';
import { local } from './local.js';
import { netns } from './netns.js';
import { qemuLinux } from './qemu-linux.js';
import { ssh } from './ssh.js';

export const hostKinds: readonly HostKind[] = [local, netns, docker, gvisor, qemuLinux, ssh, build];

/**
 * The host with an emulated link between its sides, as `openHost` takes it.
 * @throws Error in one sentence where the host can have none, or the description is wrong
 */
export function withLink(host: string, link: string): string {
  const takers = hostKinds.filter(({ takesLink }) => takesLink).map(({ id }) => id);
  if (takers.some((id) => host.startsWith(`${id}:`)))
    throw new Error(
      `the host '${host}' has a link already: leave out --link or what stands behind the colon`,
    );
  if (!takers.includes(host))
    throw new Error(
      `the host '${host}' can have no emulated link: --link needs --host ${takers.join(' or ')}`,
    );
  parseLink(link);
  return `${host}:${link}`;
}

/** @param text NAME or NAME:ARGUMENT, as users write it. @throws Error in one sentence */
export async function openHost(text: string): Promise<Roles> {
  const [name, argument = null] = text.split(/:(.*)/s);
  const kind = hostKinds.find(({ id }) => id === name);
  if (!kind) throw new Error(`unknown host '${text}': known are ${hostKinds.map(({ id }) => id).join(', ')}`);
  return kind.open(argument);
}
