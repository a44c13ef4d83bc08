/**
 * Two network namespaces of this machine, server in one and client in the other, with a veth pair between them: each has
 * a network stack of its own, and packets cross a (virtual) wire instead of loopback.
 *
 * The namespaces have no name. A process that only waits for the end of its stdin holds each, and the kernel removes a
 * namespace, and the pair with it, when the last process in it is gone: nothing is left, however this process ends.
 */
import { execFile } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Child } from './child.js';
import type { HostKind, Roles } from './host.js';
import { ObservedHost } from './observed-host.js';
import type { Command } from './program.js';

const run = promisify(execFile);

/** From the block for benchmarks of networks (RFC 2544), which no real network has. */
const addresses = { server: '198.18.0.1', client: '198.18.0.2' } as const;
const prefix = 30;
const startMs = 5000;
const graceMs = 1000;

type Side = keyof typeof addresses;

class Namespace {
  private constructor(private readonly holder: Child) {}

  /** @throws Error in one sentence when there may be no new namespace */
  static async make(side: Side): Promise<Namespace> {
    const holder = new Child(`the namespace of the ${side}`, { command: 'unshare', args: ['--net', 'cat'] });
    const own = readlinkSync('/proc/self/ns/net');
    const deadline = performance.now() + startMs;
    for (;;) {
      try {
        if (readlinkSync(`/proc/${holder.pid}/ns/net`) !== own) return new Namespace(holder);
      } catch {
        // It has ended, or was never there: what it said tells why.
        await holder.end(graceMs);
        throw new Error(
          `no network namespace can be made here (${holder.stderrTail() || 'unshare is not installed'}): ` +
            'run as root, with util-linux and iproute2 installed',
        );
      }
      if (performance.now() > deadline) throw new Error('unshare --net made no network namespace within 5 s');
      await pause(2);
    }
  }

  get pid(): number {
    return this.holder.pid;
  }

  enter = ({ command, args }: Command): Command => ({
    command: 'nsenter',
    args: [`--net=/proc/${this.pid}/ns/net`, '--', command, ...args],
  });

  async run(command: string, ...args: string[]): Promise<void> {
    const entered = this.enter({ command, args });
    await run(entered.command, entered.args);
  }

  close(): Promise<void> {
    return this.holder.end(graceMs);
  }
}

/** Names of interfaces are at most 15 characters, and those of a pair are made where other pairs may be, too. */
const interfaceName = (side: Side) => `db${process.pid}${side[0]}`;

async function connect(spaces: Record<Side, Namespace>): Promise<void> {
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

const hostIn = (space: Namespace, side: Side) =>
  ObservedHost.start({
    identity: { name: 'netns', executionClass: 'native', transport: 'veth' },
    address: addresses[side],
    enter: space.enter,
  });

export async function openNetns(): Promise<Roles> {
  const opened: { close(): Promise<void> }[] = [];
  const close = async () => {
    for (const one of opened.toReversed()) await one.close();
  };
  const kept = <T extends { close(): Promise<void> }>(one: T): T => {
    opened.push(one);
    return one;
  };
  try {
    const spaces = {
      server: kept(await Namespace.make('server')),
      client: kept(await Namespace.make('client')),
    };
    await connect(spaces);
    const [server, client] = [await hostIn(spaces.server, 'server'), await hostIn(spaces.client, 'client')];
    for (const host of [server, client]) kept({ close: () => host.stop() });
    return { name: server.name, server, client, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export const netns: HostKind = {
  id: 'netns',
  summary: 'two network namespaces of this machine with a veth pair between them; needs root',
  async open(argument) {
    if (argument !== null) throw new Error("the host 'netns' takes no argument");
    if (process.platform !== 'linux') throw new Error("not available here: network namespaces are Linux's");
    return openNetns();
  },
};
