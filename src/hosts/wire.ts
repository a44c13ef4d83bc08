/** What connects two network namespaces: an interface in each, and packets that cross a (virtual) wire between them. */
import type { Namespaces } from './namespaces.js';

export type Side = 'server' | 'client';

/** From the block for benchmarks of networks (RFC 2544), which no real network has. */
export const wireAddresses: Record<Side, string> = { server: '198.18.0.1', client: '198.18.0.2' };
export const wirePrefix = 23;

/** All of it is the client's, too: one address has ports for some ten thousand connections to one server. */
const sourceNetwork = '198.18.1';
const lastOfNetwork = 254;
export const clientSources: readonly string[] = Array.from(
  { length: lastOfNetwork },
  (_, index) => `${sourceNetwork}.${index + 1}`,
);

/** Gives a namespace those addresses. */
export const addSources = (space: Namespaces): Promise<unknown> =>
  space.run('ip', 'route', 'add', 'local', `${sourceNetwork}.0/24`, 'dev', 'lo');

/** Names of interfaces are at most 15 characters, and those of a pair are made where other pairs may be, too. */
export const interfaceName = (side: Side) => `db${process.pid}${side[0]}`;

/** Gives the interfaces that are there their addresses. */
export async function address(spaces: Record<Side, Namespaces>): Promise<void> {
  for (const side of ['server', 'client'] as const) {
    const own = `${wireAddresses[side]}/${wirePrefix}`;
    await spaces[side].run('ip', 'address', 'add', own, 'dev', interfaceName(side));
    for (const name of [interfaceName(side), 'lo']) await spaces[side].run('ip', 'link', 'set', name, 'up');
  }
  await addSources(spaces.client);
}

/** A veth pair, made from the client's side: the server's processes may be unable to see others. */
export async function connect(spaces: Record<Side, Namespaces>): Promise<void> {
  await spaces.client.run(
    ...(['ip', 'link', 'add', interfaceName('client'), 'type', 'veth'] as const),
    ...['peer', 'name', interfaceName('server'), 'netns', `${spaces.server.pid}`],
  );
  await address(spaces);
}
