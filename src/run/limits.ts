/** What this machine cannot run, found before the sweep: pure rules over what the trial needs and the machine has. */
import type { BackendName } from '../contract/common.js';
import { type Machine, reservedDescriptors, type TrialSpec } from '../experiments/experiment.js';

export interface BackendState {
  available: boolean;
  /** why not, in words */
  reason: string;
  /** highest descriptor it can watch; -1: as many as the process has */
  maxDescriptor: number;
}

/** The machine's limits, as far as the system tells them. */
export interface Limits {
  backends: ReadonlyMap<BackendName, BackendState>;
  descriptors: { soft: number; hard: number };
  ephemeralPorts: { first: number; last: number } | null;
  memoryAvailableBytes: number;
  nodeBackend: BackendName;
}

/**
 * Kernel and user memory of one loopback connection, both ends (two tcp sockets, inodes, dentries, files, poll entries),
 * bytes: 8 to 10 KiB were seen on Linux 6; rounded up.
 */
const connectionBytes = 12 * 1024;
/** Memory of the programs of a trial and of the runner. */
const programsBytes = 300 << 20;

export function machineOf(limits: Limits): Machine {
  const available = [...limits.backends].filter(([, state]) => state.available).map(([name]) => name);
  return { available, nodeBackend: limits.nodeBackend, descriptorLimit: limits.descriptors.hard };
}

/** @returns one sentence with limit, need and remedy, or null when the machine can run the trial */
export function impossible({ server, servers = 1, idle, windows }: TrialSpec, limits: Limits): string | null {
  const state = limits.backends.get(server.backend);
  if (!state?.available) {
    return `backend ${server.backend} is not available here: ${state?.reason ?? 'not built into this addon'}`;
  }
  const active = Math.max(0, ...windows.map(({ connections }) => connections));
  const all = idle + active;
  const connections = Math.max(Math.ceil(all / servers), server.ports ?? 0);
  const need = connections + reservedDescriptors;
  const { hard } = limits.descriptors;
  if (need > hard) {
    return (
      `${connections} connections need ${need} open descriptors in one process and the hard limit is ${hard}: ` +
      "raise it ('ulimit -Hn', LimitNOFILE= of systemd, --ulimit nofile= of a container) or take fewer connections"
    );
  }
  if (state.maxDescriptor >= 0 && connections > state.maxDescriptor) {
    return (
      `backend ${server.backend} watches descriptors up to ${state.maxDescriptor} only ` +
      `and ${connections} connections need more: take fewer connections or another backend`
    );
  }
  const ports = limits.ephemeralPorts && limits.ephemeralPorts.last - limits.ephemeralPorts.first + 1;
  if (ports !== null && active > ports) {
    return (
      `${active} active connections need as many local ports and the range of this system has ${ports}: ` +
      'widen it (sysctl net.ipv4.ip_local_port_range) or take fewer connections'
    );
  }
  const memory = all * connectionBytes + programsBytes;
  if (memory > limits.memoryAvailableBytes) {
    const mib = (bytes: number) => `${Math.round(bytes / (1 << 20))} MiB`;
    return (
      `${all} connections need about ${mib(memory)} of memory and ` +
      `${mib(limits.memoryAvailableBytes)} are available: free some or take fewer connections`
    );
  }
  return null;
}
