/** Which hosts of a run may work at one time: those that have no CPU, and no core, in common. */
import type { HostLook } from '../contract/host.js';
import type { Pinning } from '../contract/sample.js';
import type { Host, Roles } from '../hosts/host.js';

export interface Working {
  roles: Pick<Roles, 'link'> & Record<'server' | 'client', Pick<Host, 'look' | 'facts'>>;
  pinning: Pinning;
}

/** Of a machine, by its boot; machines that do not tell are what they are by themselves. */
type Cores = Map<HostLook | string, Set<number> | 'all'>;

const machineOf = (look: HostLook) => look.bootId ?? look;

/** The CPUs of these cores, those that share them included. */
const withSiblings = ({ cpus }: HostLook, taken: readonly number[]) =>
  cpus.filter(({ cpu }) => taken.includes(cpu)).flatMap(({ siblings }) => siblings);

function coresOf({ roles: { server, client, link }, pinning }: Working): Cores {
  const cores: Cores = new Map();
  const take = (look: HostLook, cpus: readonly number[]) => {
    const machine = machineOf(look);
    const before = cores.get(machine);
    if (before !== 'all')
      cores.set(machine, new Set([...(before ?? []), ...cpus, ...withSiblings(look, cpus)]));
  };
  take(server.look, pinning.server);
  take(client.look, pinning.client);
  if (link) take(client.look, link.cpus);
  // A guest's CPUs are threads on the machine that carries it, where its client is.
  const carried = ['vm', 'emulated'].includes(server.facts.executionClass);
  if (carried && machineOf(server.look) !== machineOf(client.look)) cores.set(machineOf(client.look), 'all');
  return cores;
}

function meet(one: Cores, other: Cores): boolean {
  return [...one].some(([machine, taken]) => {
    const theirs = other.get(machine);
    if (theirs === undefined) return false;
    return taken === 'all' || theirs === 'all' || [...taken].some((cpu) => theirs.has(cpu));
  });
}

/** By host, the number of its lane: hosts of one lane take turns. */
export function lanesOfHosts(hosts: readonly Working[]): number[] {
  const cores = hosts.map(coresOf);
  const lane = hosts.map((_, at) => at);
  for (const [at, mine] of cores.entries())
    for (let other = 0; other < at; other++) {
      if (lane[at] === lane[other] || !meet(mine, cores[other]!)) continue;
      const [from, to] = [lane[at]!, lane[other]!];
      for (const [index, one] of lane.entries()) if (one === from) lane[index] = to;
    }
  const numbers = [...new Set(lane)];
  return lane.map((one) => numbers.indexOf(one));
}
