/** Kinds of hosts by name. A new kind is one file and one line here. */

import type { WantedHost } from '../contract/hosts-file.js';
import type { AbsentHost } from '../contract/run.js';
import { arranged } from './arranged.js';
import { build } from './build.js';
import { containers } from './containers.js';
import { docker } from './docker.js';
import { gvisor } from './gvisor.js';
import type { HostKind, Roles } from './host.js';
import { parseLink } from './link-text.js';
import { local } from './local.js';
import { netns } from './netns.js';
import { qemuLinux } from './qemu-linux.js';
import { ssh } from './ssh.js';
import { sshBare } from './ssh-bare.js';

export const hostKinds: readonly HostKind[] = [
  local,
  netns,
  docker,
  containers,
  gvisor,
  qemuLinux,
  ssh,
  sshBare,
  build,
];

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

/** One as it was asked for, named or declared. @throws Error in one sentence */
export async function openWanted(wanted: WantedHost): Promise<Roles> {
  if (typeof wanted === 'string') return openHost(wanted);
  const roles = await openHost(wanted.kind);
  try {
    return arranged(roles, wanted);
  } catch (error) {
    await roles.close();
    throw error;
  }
}

/** Every host that there can be here without being told more, and why there cannot be the others. */
export async function everyHost(): Promise<{ hosts: string[]; absent: AbsentHost[] }> {
  const hosts: string[] = [];
  const absent: AbsentHost[] = [];
  for (const { id, onlyWhenAsked, variants = [], unavailable } of hostKinds) {
    if (onlyWhenAsked) continue;
    const reason = await unavailable();
    const all = [id, ...variants.map((variant) => `${id}:${variant}`)];
    if (reason === null) hosts.push(...all);
    else absent.push(...all.map((host) => ({ host, reason, unasked: true })));
  }
  return { hosts, absent };
}
