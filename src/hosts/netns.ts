/**
 * Two network namespaces of this machine, server in one and client in the other, with a veth pair between them: each has
 * a network stack of its own, and packets cross a (virtual) wire instead of loopback.
 */
import type { HostKind, Roles } from './host.js';
import { Namespaces } from './namespaces.js';
import { ObservedHost } from './observed-host.js';
import { Opened } from './opened.js';
import { connect, type Side, wireAddresses } from './wire.js';

const spaceOf = (side: Side) => Namespaces.make(`the namespace of the ${side}`, ['net']);

const hostIn = (space: Namespaces, side: Side) =>
  ObservedHost.start({
    identity: { name: 'netns', executionClass: 'native', transport: 'veth' },
    address: wireAddresses[side],
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
