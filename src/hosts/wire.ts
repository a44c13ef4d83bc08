/** A veth pair between two network namespaces: two stacks, and packets that cross a (virtual) wire. */
import type { Namespaces } from './namespaces.js';

export type Side = 'server' | 'client';

/** From the block for benchmarks of networks (RFC 2544), which no real network has. */
export const wireAddresses: Record<Side, string> = { server: '198.18.0.1', client: '198.18.0.2' };
const prefix = 30;

/** Names of interfaces are at most 15 characters, and those of a pair are made where other pairs may be, too. */
const interfaceName = (side: Side) => `db${process.pid}${side[0]}`;

/** Made from the client's side: the server's processes may be unable to see others. */
export async function connect(spaces: Record<Side, Namespaces>): Promise<void> {
  await spaces.client.run(
    ...(['ip', 'link', 'add', interfaceName('client'), 'type', 'veth'] as const),
    ...['peer', 'name', interfaceName('server'), 'netns', `${spaces.server.pid}`],
  );
  for (const side of ['server', 'client'] as const) {
    const address = `${wireAddresses[side]}/${prefix}`;
    await spaces[side].run('ip', 'address', 'add', address, 'dev', interfaceName(side));
    for (const name of [interfaceName(side), 'lo']) await spaces[side].run('ip', 'link', 'set', name, 'up');
  }
}
