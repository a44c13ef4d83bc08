/** Which CPU the server gets and which the client, so that neither takes the other's time. */
import { coreSiblings } from '../hosts/linux-facts.js';

export interface Pinning {
  server: number[];
  client: number[];
  shared: boolean;
  /** two CPUs, but of one core */
  siblings: boolean;
}

/** The last CPU for the server (the first ones get most interrupts), for the client one of another core if there is one. */
export function pinning(
  cpus: readonly number[],
  siblingsOf: (cpu: number) => number[] = coreSiblings,
): Pinning {
  const server = cpus.at(-1)!;
  const core = siblingsOf(server);
  const client = cpus.find((cpu) => !core.includes(cpu)) ?? cpus[0]!;
  return {
    server: [server],
    client: [client],
    shared: client === server,
    siblings: client !== server && core.includes(client),
  };
}
