/**
 * This machine, through loopback.
 *
 * Its execution class is `native`, also when it is itself a virtual machine: the class describes the host as the
 * figure sees it, next to the other hosts of a run. A guest that this machine boots is `vm` to it, and what carries
 * this machine is told by the `hypervisor` field, which the report prints with every figure.
 */
import { Child } from './child.js';
import type { HostKind, HostProcess, Roles } from './host.js';
import { ObservedHost } from './observed-host.js';
import { commandOf, type Program } from './program.js';

export async function openLocal(): Promise<Roles> {
  const host = await ObservedHost.start({
    identity: { name: 'local', executionClass: 'native', transport: 'loopback' },
    address: '127.0.0.1',
  });
  return { name: host.name, server: host, client: host, close: () => host.stop() };
}

export const local: HostKind = {
  id: 'local',
  summary: 'this machine, over loopback',
  unavailable: async () => null,
  open(argument) {
    if (argument !== null) throw new Error("the host 'local' takes no argument");
    return openLocal();
  },
};

/** Starts one of our programs on this machine, for who needs nothing else of a host. */
export const startHere = (name: string, program: Program): HostProcess => new Child(name, commandOf(program));
