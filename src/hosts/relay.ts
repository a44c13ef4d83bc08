/** A link by our own program between two TUN devices, one in each namespace: where the kernel has no netem. */
import { accessSync, constants } from 'node:fs';
import {
  type LinkDirection,
  type LinkPassage,
  type LinkShape,
  linkDirections,
  relayReady,
  relayReport,
} from '../contract/link.js';
import { validated } from '../contract/validated.js';
import { Child } from './child.js';
import type { LinkControl } from './host.js';
import { allowedCpus, coreSiblings, readFact } from './linux-facts.js';
import type { Namespaces } from './namespaces.js';
import { commandOf, type Program } from './program.js';
import { interfaceName, type Side } from './wire.js';

const answerMs = 10_000;
const graceMs = 1000;
const defaultSeed = 1;

/** Of a device, packets that its namespace may have sent before the relay has read them; those beyond are counted. */
const deviceQueue = 10_000;

/** Why there can be no TUN device here; null: there can. */
export function tunMissing(): string | null {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    return null;
  } catch {
    return 'there is no /dev/net/tun: load the kernel module tun';
  }
}

const shapeArguments = (shapes: Readonly<Record<LinkDirection, LinkShape>>): string[] =>
  linkDirections.flatMap((direction) => {
    const { delayNs, lossShare, bitsPerSecond, limitPackets } = shapes[direction];
    return [
      ...[`--${direction}-delay`, `${delayNs}`],
      ...[`--${direction}-loss`, `${Math.round(lossShare * 1e9)}`],
      ...[`--${direction}-rate`, `${bitsPerSecond ?? 0}`],
      ...[`--${direction}-limit`, `${limitPackets}`],
    ];
  });

/** Parallel to native/links/options.h. */
function relayProgram(
  spaces: Record<Side, Namespaces>,
  shapes: Record<LinkDirection, LinkShape>,
  seed: number,
  cpu: number | null,
): Program {
  const end = (side: Side) => [
    ...[`--${side}-space`, `/proc/${spaces[side].pid}/ns/net`],
    ...[`--${side}-device`, interfaceName(side)],
  ];
  return {
    native: 'dispatchbench-link',
    args: [
      ...end('client'),
      ...end('server'),
      ...shapeArguments(shapes),
      ...['--seed', `${seed}`],
      ...(cpu === null ? [] : ['--cpu', `${cpu}`]),
    ],
  };
}

/**
 * A CPU of a core that neither the server nor the client gets (src/stage/places.ts); where there is none, one of these
 * that is not the server's, because it is the server that is measured.
 */
export function relayCpu(
  cpus: readonly number[],
  siblings: (cpu: number) => readonly number[],
): number | null {
  const server = cpus.at(-1);
  if (server === undefined) return null;
  const client = cpus.find((cpu) => !siblings(server).includes(cpu)) ?? cpus[0]!;
  const taken = [server, client];
  const shares = (cpu: number) => taken.filter((one) => siblings(one).includes(cpu)).length;
  const free = cpus.filter((cpu) => !taken.includes(cpu));
  return (
    free.find((cpu) => shares(cpu) === 0) ?? free.find((cpu) => !siblings(server).includes(cpu)) ?? client
  );
}

/** CPU time of a process of one thread, microseconds; null when it is gone or the kernel does not count it. */
function cpuUsOf(pid: number): number | null {
  const spentNs = readFact(`/proc/${pid}/schedstat`)?.split(' ')[0];
  return spentNs === undefined ? null : Math.round(Number(spentNs) / 1000);
}

const withDropped = (passage: Omit<LinkPassage, 'dropped'> & { lost: number; overflowed: number }) => ({
  ...passage,
  dropped: passage.lost + passage.overflowed,
});

export type Relay = LinkControl & { seed: number; realtime: boolean; close(): Promise<void> };

/**
 * Makes the devices; they have no addresses yet.
 * @throws Error in one sentence when it cannot
 */
export async function startRelay(
  spaces: Record<Side, Namespaces>,
  shapes: Record<LinkDirection, LinkShape>,
  seed = defaultSeed,
): Promise<Relay> {
  const cpu = relayCpu(allowedCpus() ?? [], coreSiblings);
  const child = new Child("the link's relay", commandOf(relayProgram(spaces, shapes, seed, cpu)));
  const close = () => child.end(graceMs);
  try {
    const ready = validated(relayReady, await child.expect('ready', answerMs), "the link's relay");
    for (const side of ['client', 'server'] as const) {
      // Without this the kernel sends packets of its own (IPv6 router solicitations) over it, which then are counted.
      await spaces[side].run('ip', ...['link', 'set', interfaceName(side), 'addrgenmode', 'none']);
      await spaces[side].run('ip', ...['link', 'set', interfaceName(side), 'txqueuelen', `${deviceQueue}`]);
    }
    return {
      seed,
      cpus: ready.cpus,
      realtime: ready.realtime,
      cpuUs: () => cpuUsOf(child.pid),
      ended: () => child.ended(),
      async report() {
        child.send('report');
        const { up, down } = validated(relayReport, await child.expect('link', answerMs), "the link's relay");
        return { up: withDropped(up), down: withDropped(down) };
      },
      async change(changed) {
        const how = child.ended();
        if (how !== null) throw new Error(`the link's relay cannot be changed: it ${how}`);
        child.send(`shape ${shapeArguments(changed).join(' ')}`);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
