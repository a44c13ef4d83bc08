/** Which CPU the server gets and which the client, so that neither takes the other's time. */
import type { HostLook } from '../contract/host.js';
import type { Pinning } from '../contract/sample.js';

type Cpus = HostLook['cpus'];

/** The last CPU for the server (the first ones get most interrupts), for the client one of another core if there is one. */
export function pinningOn(cpus: Cpus): Pinning {
  const server = cpus.at(-1)!;
  const client = (cpus.find(({ cpu }) => !server.siblings.includes(cpu)) ?? cpus[0]!).cpu;
  return {
    server: [server.cpu],
    client: [client],
    shared: client === server.cpu,
    siblings: client !== server.cpu && server.siblings.includes(client),
  };
}

/** Hosts of one boot, or told of by one observer, share their CPUs; others have all of their own. */
export function places(server: Pick<HostLook, 'bootId' | 'cpus'>, client: typeof server): Pinning {
  if (server.cpus === client.cpus || (server.bootId !== null && server.bootId === client.bootId)) {
    return pinningOn(server.cpus);
  }
  return {
    server: [server.cpus.at(-1)!.cpu],
    client: [client.cpus.at(-1)!.cpu],
    shared: false,
    siblings: false,
  };
}
