/** A link by the kernel's own queueing discipline, tc-netem(8), on both interfaces of a veth pair. */
import { z } from 'zod';
import { count } from '../contract/common.js';
import {
  type LinkDirection,
  type LinkPassage,
  type LinkReport,
  type LinkShape,
  linkDirections,
} from '../contract/link.js';
import { validated } from '../contract/validated.js';
import type { LinkControl } from './host.js';
import type { Namespaces } from './namespaces.js';
import { interfaceName, type Side } from './wire.js';

/** Packets are shaped where they are sent. */
const sender: Record<LinkDirection, Side> = { up: 'client', down: 'server' };

const firstLine = (error: unknown) =>
  (error as { stderr?: string }).stderr?.trim().split('\n')[0] || (error as Error).message.split('\n')[0]!;

/** Why there is no netem in this namespace, found out by asking for one; null: there is. */
export async function netemMissing(space: Namespaces): Promise<string | null> {
  try {
    await space.run('tc', ...['qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms']);
    await space.run('tc', ...['qdisc', 'del', 'dev', 'lo', 'root']);
    return null;
  } catch (error) {
    return firstLine(error);
  }
}

/** What stands behind `netem` to have this. */
export function netemWords({ delayNs, lossShare, bitsPerSecond, limitPackets }: LinkShape): string[] {
  return [
    ...['limit', `${limitPackets}`],
    ...['delay', `${delayNs / 1000}us`],
    ...(lossShare > 0 ? ['loss', `${Number((100 * lossShare).toFixed(7))}%`] : []),
    ...(bitsPerSecond === null ? [] : ['rate', `${bitsPerSecond}bit`]),
  ];
}

const statistics = z.array(
  z.object({ kind: z.string(), bytes: count, packets: count, drops: count, qlen: count.default(0) }),
);
type Totals = Pick<z.infer<typeof statistics>[number], 'bytes' | 'packets' | 'drops'> & { qlen: number };

/** @param text what `tc -statistics -json qdisc show` printed */
export function netemTotals(text: string): Totals {
  const found = validated(statistics, JSON.parse(text), 'what tc says').find(({ kind }) => kind === 'netem');
  if (!found) throw new Error('the netem of the link is gone');
  return found;
}

const passage = (before: Totals, after: Totals): LinkPassage => {
  const passed = after.packets - before.packets;
  const dropped = after.drops - before.drops;
  return {
    packets: Math.max(0, passed + dropped + after.qlen - before.qlen),
    bytes: null,
    passed,
    passedBytes: after.bytes - before.bytes,
    lost: null,
    overflowed: null,
    dropped,
    lateness: null,
  };
};

/** @throws Error in one sentence when the kernel does not take it */
export async function startNetem(
  spaces: Record<Side, Namespaces>,
  shapes: Record<LinkDirection, LinkShape>,
): Promise<LinkControl> {
  const onSender = (direction: LinkDirection, command: string, ...args: string[]) =>
    spaces[sender[direction]].run(command, ...args);
  const device = (direction: LinkDirection) => interfaceName(sender[direction]);
  const shape = (verb: 'add' | 'change', direction: LinkDirection, wanted: LinkShape) =>
    onSender(
      direction,
      'tc',
      ...['qdisc', verb, 'dev', device(direction), 'root', 'netem', ...netemWords(wanted)],
    );
  for (const direction of linkDirections) {
    // A packet that the kernel has not cut yet, of up to 64 KB, would be lost as one.
    await onSender(direction, 'ip', ...['link', 'set', device(direction), 'gso_max_segs', '1']);
    await shape('add', direction, shapes[direction]);
  }
  const totals = async (direction: LinkDirection) =>
    netemTotals(
      await onSender(direction, 'tc', ...['-statistics', '-json', 'qdisc', 'show', 'dev', device(direction)]),
    );
  let before = { up: await totals('up'), down: await totals('down') };
  return {
    cpus: [],
    cpuUs: () => null,
    ended: () => null,
    async report(): Promise<LinkReport> {
      const after = { up: await totals('up'), down: await totals('down') };
      const report = { up: passage(before.up, after.up), down: passage(before.down, after.down) };
      before = after;
      return report;
    },
    async change(changed) {
      for (const direction of linkDirections) await shape('change', direction, changed[direction]);
    },
  };
}
