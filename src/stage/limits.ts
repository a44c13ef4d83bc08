/** What hosts cannot run, found before the sweep: rules over what a trial needs, the hosts have and this installation holds. */
import type { MechanismName } from '../contract/common.js';
import type { HostLook } from '../contract/host.js';
import { isEngine } from '../contract/names.js';
import type { Subject } from '../contract/subject.js';
import { highestOf, missingPeerServer } from '../programs/peers.js';
import { runByNode } from '../programs/server.js';
import { oneMachine } from './places.js';

/** What a trial takes of its hosts. */
export interface Needs {
  /** what it waits with, where that is ours */
  backend: MechanismName | null;
  /** why its server is not there, and how to get it; left out: it is */
  missing?: string | undefined;
  /** Node has to be where the server is, to run it or what stands beside it */
  byNode: boolean;
  /** descriptors that one process of the server waits on */
  perProcess: number;
  /** highest descriptor that its way to wait takes, where that is not the backend's of that name on its host */
  highest?: number | undefined;
  /** what those descriptors are, for messages: 'connections', 'ports' */
  what: string;
  /** connections that stand at one time, all servers together */
  connections: number;
  /** of them those that take a local port of the client's for themselves */
  active: number;
}

/** What a trial needs to have a server of that kind. */
export function ofSubject(subject: Subject): Pick<Needs, 'backend' | 'byNode' | 'missing' | 'highest'> {
  if (subject.kind === 'dispatch') return { backend: subject.backend, byNode: runByNode(subject.impl) };
  if (subject.kind === 'foreign') return { backend: null, byNode: false, missing: subject.missing };
  const { backend, impl } = subject;
  return { backend, byNode: false, missing: missingPeerServer(impl), highest: highestOf(subject) };
}

/** What a trial needs whose client has so many connections to one server, in one process. */
export const ofConnections = (subject: Subject, active: number, idle = 0): Needs => ({
  ...ofSubject(subject),
  perProcess: active + idle,
  what: 'connections',
  connections: active + idle,
  active,
});

/** What a trial needs that runs a program to its end, with no server and no load. @param pipes of it, and of what it starts */
export const ofProgram = (missing: string | undefined, pipes = 1, byNode = false): Needs => ({
  backend: null,
  byNode,
  missing,
  perProcess: pipes,
  what: 'pipes',
  connections: 0,
  active: 0,
});

/** Descriptors of a program that are no connections: standard streams, listener, poller, control channel, Node's own. */
export const reservedDescriptors = 100;

/**
 * Kernel and user memory of one end of a connection (tcp socket, inode, dentry, file, poll entry), bytes: 4 to 5 KiB were
 * seen on Linux 6; rounded up. Where both ends are on one machine it has both.
 */
const endBytes = 6 * 1024;
/** Memory of the programs of a trial and of the runner. */
const programsBytes = 300 << 20;

type Hosts = Record<
  'server' | 'client',
  Pick<
    HostLook,
    'backends' | 'engines' | 'environment' | 'memoryAvailableBytes' | 'bootId' | 'cpus' | 'versions'
  >
>;

/** Why a host cannot wait with this; null: it can. */
function lacks({ backends, engines }: Hosts['server'], mechanism: MechanismName): string | null {
  if (isEngine(mechanism)) {
    const engine = engines.find(({ name }) => name === mechanism);
    if (engine?.available) return null;
    return engine?.reason ?? `this host does not tell whether it has the engine ${mechanism}`;
  }
  const backend = backends.find(({ name }) => name === mechanism);
  if (backend?.available) return null;
  return `backend ${mechanism} is not available here: ${backend?.reason ?? 'not built into this addon'}`;
}

/** @returns one sentence with limit, need and remedy, or null when the hosts can run it */
export function impossible(needs: Needs, { server, client }: Hosts): string | null {
  const { perProcess, what, connections, active, missing } = needs;
  if (missing !== undefined) return missing;
  const lacking = needs.backend === null ? null : lacks(server, needs.backend);
  if (lacking !== null) return lacking;
  const state = server.backends.find(({ name }) => name === needs.backend);
  if (needs.byNode && server.versions.node === undefined) {
    return 'there is no Node on this host for a server of TypeScript: take others (--impl native,baseline)';
  }
  const need = perProcess + reservedDescriptors;
  const { hard } = server.environment.descriptorLimit;
  if (need > hard) {
    return (
      `${perProcess} ${what} need ${need} open descriptors in one process and the hard limit is ${hard}: ` +
      `raise it ('ulimit -Hn', LimitNOFILE= of systemd, --ulimit nofile= of a container) or take fewer ${what}`
    );
  }
  const highest = needs.highest ?? state?.maxDescriptor ?? -1;
  if (highest >= 0 && perProcess > highest) {
    return (
      `backend ${needs.backend} watches descriptors up to ${highest} only ` +
      `and ${perProcess} ${what} need more: take fewer ${what} or another backend`
    );
  }
  const range = client.environment.ephemeralPorts;
  const ports = range && range.last - range.first + 1;
  if (ports !== null && active > ports) {
    return (
      `${active} active connections need as many local ports and the range of this system has ${ports}: ` +
      'widen it (sysctl net.ipv4.ip_local_port_range) or take fewer connections'
    );
  }
  const ends = oneMachine(server, client) ? 2 : 1;
  const memory = connections * ends * endBytes + programsBytes;
  const available = Math.min(server.memoryAvailableBytes, client.memoryAvailableBytes);
  if (memory > available) {
    const mib = (bytes: number) => `${Math.round(bytes / (1 << 20))} MiB`;
    return (
      `${connections} connections need about ${mib(memory)} of memory and ` +
      `${mib(available)} are available: free some or take fewer connections`
    );
  }
  return null;
}
