/**
 * Two network namespaces of this machine, server in one and client in the other, with a veth pair between them: each has
 * a network stack of its own, and packets cross a (virtual) wire instead of loopback.
 */
import type { HostKind, Roles } from './host.js';
import { Namespaces } from './namespaces.js';
import { ObservedHost } from './observed-host.js';
import { Opened } from './opened.js';

/** From the block for benchmarks of networks (RFC 2544), which no real network has. */
const addresses = { server: '198.18.0.1', client: '198.18.0.2' } as const;
const prefix = 30;

type Side = keyof typeof addresses;

/** Names of interfaces are at most 15 characters, and those of a pair are made where other pairs may be, too. */
const interfaceName = (side: Side) => `db${process.pid}${side[0]}`;

async function connect(spaces: Record<Side, Namespaces>): Promise<void> {
  const { server, client } = spaces;
  const [here, there] = [interfaceName('server'), interfaceName('client')];
  await server.run(
    'ip',
    ...['link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', `${client.pid}`],
  );
  for (const side of ['server', 'client'] as const) {
    await spaces[side].run(
      'ip',
      ...['address', 'add', `${addresses[side]}/${prefix}`, 'dev', interfaceName(side)],
    );
    for (const name of [interfaceName(side), 'lo']) await spaces[side].run('ip', 'link', 'set', name, 'up');
  }
}

const spaceOf = (side: Side) => Namespaces.make(`the namespace of the ${side}`, ['net']);

const hostIn = (space: Namespaces, side: Side) =>
  ObservedHost.start({
    identity: { name: 'netns', executionClass: 'native', transport: 'veth' },
    address: addresses[side],
    enter: (command) => space.enter(command),
  });

export const openNetns = (): Promise<Roles> =>
  Opened.by(async (opened) => {
    const spaces = {
      server: opened.keep(await spaceOf('server')),
      client: opened.keep(await spaceOf('client')),
    };
    await connect(spaces);
    const observed = async (side: Side) => {
      const host = await hostIn(spaces[side], side);
      opened.atEnd(() => host.stop());
      return host;
    };
    const [server, client] = [await observed('server'), await observed('client')];
    return { name: server.name, server, client, close: opened.close };
  });

export const netns: HostKind = {
  id: 'netns',
  summary: 'two network namespaces of this machine with a veth pair between them; needs root',
  async unavailable() {
    if (process.platform !== 'linux') return "network namespaces are Linux's: run on Linux";
    try {
      await (await spaceOf('server')).close();
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  },
  async open(argument) {
    if (argument !== null) throw new Error("the host 'netns' takes no argument");
    if (process.platform !== 'linux') throw new Error("not available here: network namespaces are Linux's");
    return openNetns();
  },
};
