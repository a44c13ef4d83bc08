/**
 * Two network namespaces of this machine, server in one and client in the other, with a veth pair or an emulated link
 * between them: each has a network stack of its own, and packets cross a (virtual) wire instead of loopback.
 */
import type { HostIdentity } from '../contract/host.js';
import { connectByLink } from './emulated-link.js';
import type { HostKind, Roles } from './host.js';
import { type AskedLink, parseLink } from './link-text.js';
import { Namespaces } from './namespaces.js';
import { ObservedHost } from './observed-host.js';
import { Opened } from './opened.js';
import { clientSources, connect, type Side, wireAddresses } from './wire.js';

const spaceOf = (side: Side) => Namespaces.make(`the namespace of the ${side}`, ['net']);

const hostIn = (space: Namespaces, side: Side, identity: HostIdentity) =>
  ObservedHost.start({
    identity,
    address: wireAddresses[side],
    sources: side === 'client' ? clientSources : [],
    enter: (command) => space.enter(command),
  });

/** @param link left out: a veth pair */
export const openNetns = (link: AskedLink | null = null): Promise<Roles> =>
  Opened.by(async (opened) => {
    const spaces = {
      server: opened.keep(await spaceOf('server')),
      client: opened.keep(await spaceOf('client')),
    };
    const linked = link && (await connectByLink(spaces, link, opened));
    if (!linked) await connect(spaces);
    const identity = linked
      ? { name: `netns-${link.name}`, transport: linked.transport, link: linked.facts }
      : { name: 'netns', transport: 'veth' as const };
    const observed = async (side: Side) => {
      const host = await hostIn(spaces[side], side, { ...identity, executionClass: 'native' });
      opened.atEnd(() => host.stop());
      return host;
    };
    const [server, client] = [await observed('server'), await observed('client')];
    return {
      name: server.name,
      server,
      client,
      ...(linked && { link: linked.control }),
      close: opened.close,
    };
  });

export const netns: HostKind = {
  id: 'netns',
  summary:
    'two network namespaces of this machine with a veth pair between them, or what --link says; needs root',
  takesLink: true,
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
    const link = argument === null ? null : parseLink(argument);
    if (process.platform !== 'linux') throw new Error("not available here: network namespaces are Linux's");
    return openNetns(link);
  },
};
