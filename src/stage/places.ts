/** Which CPU the server gets and which the client, so that neither takes the other's time. */
import type { HostLook } from '../contract/host.js';
import type { Pinning } from '../contract/sample.js';
import type { Roles } from '../hosts/host.js';

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

type Look = Pick<HostLook, 'bootId' | 'cpus'>;

/** Hosts of one boot, or told of by one observer, share kernel and CPUs; others have all of their own. */
export const oneMachine = (server: Look, client: Look): boolean =>
  server.cpus === client.cpus || (server.bootId !== null && server.bootId === client.bootId);

/** @param pin what was asked for: the rest is chosen around it */
export function places(server: Look, client: Look, pin: Roles['pin'] = {}): Pinning {
  const chosen = usual(server, client);
  const asked = { server: [...(pin.server ?? chosen.server)], client: [...(pin.client ?? chosen.client)] };
  if (!pin.server && !pin.client) return chosen;
  if (!oneMachine(server, client)) return { ...asked, shared: false, siblings: false };
  const shared = asked.server.some((cpu) => asked.client.includes(cpu));
  const beside = server.cpus
    .filter(({ cpu }) => asked.server.includes(cpu))
    .flatMap(({ siblings }) => siblings);
  return { ...asked, shared, siblings: !shared && asked.client.some((cpu) => beside.includes(cpu)) };
}

function usual(server: Look, client: Look): Pinning {
  if (oneMachine(server, client)) return pinningOn(server.cpus);
  return {
    server: [server.cpus.at(-1)!.cpu],
    client: [client.cpus.at(-1)!.cpu],
    shared: false,
    siblings: false,
  };
}
