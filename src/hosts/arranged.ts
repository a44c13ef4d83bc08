/** A host as somebody declared it: called so, with these CPUs, its client outside or inside. */
import type { HostFacts } from '../contract/host.js';
import type { DeclaredHost } from '../contract/hosts-file.js';
import type { Host, Roles } from './host.js';

type Declared = Omit<DeclaredHost, 'kind'>;

/** The last of its CPUs, as trials take them. @throws Error in one sentence when it has fewer, or lacks one */
function cpusOf({ name, resources, pin }: Declared, side: 'server' | 'client', { look }: Host) {
  const wanted = resources.cpus ?? look.cpus.length;
  if (wanted > look.cpus.length)
    throw new Error(`host ${name} was to get ${wanted} CPUs and has ${look.cpus.length}`);
  const missing = pin[side]?.find((cpu) => !look.cpus.some((one) => one.cpu === cpu));
  if (missing !== undefined)
    throw new Error(
      `host ${name} was to pin its ${side} to CPU ${missing} and has ${look.cpus.map(({ cpu }) => cpu).join(', ')}`,
    );
  return look.cpus.slice(-wanted);
}

/** The same host, but for what is said of it. */
function known(host: Host, name: string, cpus: Host['look']['cpus'], facts: Partial<HostFacts>): Host {
  return {
    name,
    facts: { ...host.facts, ...facts, name },
    look: { ...host.look, cpus },
    command: (program) => host.command(program),
    entering: (command) => host.entering?.(command) ?? null,
    spawn: (called, command) => host.spawn(called, command),
    addressFor: (peer) => host.addressFor(peer),
    sources: host.sources,
    counters: () => host.counters(),
    memory: () => host.memory(),
    state: () => host.state(),
    memoryCopy: () => host.memoryCopy(),
    clock: () => host.clock(),
  };
}

/** @throws Error in one sentence when the host is not what was declared */
export function arranged(roles: Roles, declared: Declared): Roles {
  const { name, pin, role } = declared;
  const inside = role === 'both';
  const cpus = cpusOf(declared, 'server', roles.server);
  const server = known(roles.server, name, cpus, inside ? { transport: 'loopback', link: undefined } : {});
  const outside = roles.client === roles.server || inside;
  const client = outside
    ? server
    : known(
        roles.client,
        name,
        declared.resources.cpus === undefined
          ? roles.client.look.cpus
          : cpusOf(declared, 'client', roles.client),
        {},
      );
  if (pin.client) cpusOf(declared, 'client', outside ? roles.server : roles.client);
  // A client inside crosses no link.
  const link = inside ? undefined : roles.link;
  return { name, server, client, pin, ...(link && { link }), close: () => roles.close() };
}
