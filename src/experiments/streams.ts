/**
 * What do more streams at once bring, and what do they cost? Seed of the question: the benchmark results of DWCP v3 (2025), whose
 * target is 70 % more than a single stream brings, and whose figures no machine reaches.
 *
 * Factors: streams x bytes of a call x how they come to the socket x mechanism x congestion control, with iperf3 beside. The
 * link is the host's: loopback on this machine, or what `--host netns:...` emulates.
 */
import { z } from 'zod';
import { congestionControls } from '../congestion.js';
import { type BackendName, backendName, count, identifier } from '../contract/common.js';
import type { ProfileName } from '../contract/run.js';
import {
  adaptive,
  mostAdaptive,
  mostChunk,
  mostMemory,
  mostStreams,
  transferWays,
} from '../contract/transfer.js';
import { duration } from '../options.js';
import { metric } from '../trials/registry.js';
import { experiment, type Machine } from './experiment.js';
import { list, names, serverFlags, size, streamsOf } from './flags.js';
import { streamChoice } from './words.js';

/** RDMA is asked for, so that a run says that there is none; no way of ours uses it. */
const ways = [...transferWays, 'rdma'] as const;
const peers = ['iperf3'] as const;
/** iperf3's own limit. */
const mostOfPeer = 128;

const cell = z.object({
  /** null of a peer, which waits with whatever it has */
  backend: backendName.nullable(),
  impl: z.enum(['native', ...peers]),
  way: z.enum(ways),
  chunk: count.min(1),
  congestion: identifier,
  /** adaptive: of so many that stand as many send as pay; null: all of them */
  choice: z.literal(adaptive).nullable(),
  streams: count.min(1),
});
type StreamsCell = z.infer<typeof cell>;

const settings = z.strictObject({
  backends: z.array(backendName).min(1),
  ways: z.array(z.enum(ways)).min(1),
  streams: z.array(z.union([count.min(1).max(mostStreams), z.literal(adaptive)])).min(1),
  chunks: z.array(count.min(1).max(mostChunk)).min(1),
  /** congestion controls, as the system names them */
  congestion: z.array(identifier).min(1),
  peers: z.array(z.enum(peers)),
  /** a checksum for each stream of ours, end to end, which iperf3 has not */
  checked: z.boolean(),
  /** bytes that ours send round and round; iperf3 sends one chunk again and again */
  memory: count.min(1).max(mostMemory),
  durationMs: count.min(1),
});
type StreamsSettings = z.infer<typeof settings>;

/** Those of this machine, because the quick answer is about them: the one that most have, and the one that needs no more streams. */
function usualControls(wanted: readonly string[]): string[] {
  const here = congestionControls();
  const found = wanted.filter((name) => here.includes(name));
  return found.length > 0 ? found : wanted.slice(0, 1);
}

function profile(name: ProfileName, { available, nodeBackend }: Machine): StreamsSettings {
  const common = {
    chunks: [64 << 10],
    peers: [...peers],
    checked: true,
    memory: 8 << 20,
  };
  if (name === 'quick') {
    return {
      ...common,
      backends: [nodeBackend],
      ways: ['copy', 'zerocopy', 'rdma'],
      streams: [1, 8, 32, adaptive],
      congestion: usualControls(['cubic', 'bbr']),
      durationMs: 1000,
    };
  }
  const wanted: readonly BackendName[] = ['select', 'poll', nodeBackend];
  return {
    ...common,
    backends: available.filter((backend) => wanted.includes(backend)),
    ways: [...ways],
    streams: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, adaptive],
    congestion: usualControls(['cubic', 'reno', 'bbr']),
    durationMs: 3000,
  };
}

function cells({
  backends,
  ways: asked,
  streams,
  chunks,
  congestion,
  peers: beside,
}: StreamsSettings): StreamsCell[] {
  const fixed = streams.filter((n) => n !== adaptive);
  // At a level that others have, so that it stands beside them.
  const standing = Math.min(mostAdaptive, Math.max(...fixed, fixed.length > 0 ? 1 : mostAdaptive));
  const around = congestion.flatMap((control): Omit<StreamsCell, 'backend' | 'impl' | 'way'>[] =>
    chunks.flatMap((chunk) =>
      streams.map((n) => ({
        ...{ chunk, congestion: control },
        choice: n === adaptive ? adaptive : null,
        streams: n === adaptive ? standing : n,
      })),
    ),
  );
  const ours = backends.flatMap((backend) =>
    asked
      .filter((way) => way !== 'rdma')
      .flatMap((way, i) =>
        around
          // One way to send is enough to see how the number of streams is found.
          .filter(({ choice }) => choice === null || i === 0)
          .map((one) => ({ backend, impl: 'native' as const, way, ...one })),
      ),
  );
  const theirs = beside.flatMap((impl) =>
    around
      .filter((one) => one.choice === null && one.streams <= mostOfPeer)
      .map((one) => ({ backend: null, impl, way: 'copy' as const, ...one })),
  );
  // One row says it.
  const rdma = asked.includes('rdma')
    ? [{ backend: null, impl: 'native' as const, way: 'rdma' as const, ...around[0]! }]
    : [];
  return [...ours, ...theirs, ...rdma];
}

const inBytes = (level: number): string =>
  level % (1 << 20) === 0
    ? `${level >> 20} MiB`
    : level % (1 << 10) === 0
      ? `${level >> 10} KiB`
      : `${level} B`;

export const streams = experiment({
  id: 'streams',
  question:
    'What do more streams at once bring, and cost: over loopback, and over a link that loses packets?',
  axis: 'streams',
  cell,
  settings,
  factors: {
    streams: { name: 'streams' },
    chunk: {
      name: 'chunk',
      level: (level) => (typeof level === 'number' ? `chunks of ${inBytes(level)}` : null),
    },
    way: { name: 'way', level: (level) => `${level}` },
    congestion: { name: 'congestion control', level: (level) => `${level}` },
    choice: { ...streamChoice, within: true },
  },
  words: [],
  quick: false,
  profiles: ['quick', 'full'],
  flags: [
    serverFlags[0]!,
    {
      flags: '--ways <list>',
      description: `how bytes come to the socket: ${ways.join(', ')}`,
      setting: 'ways',
      parse: names(ways, 'way'),
    },
    {
      flags: '--streams <list>',
      description: `connections that send at the same time, comma-separated; ${adaptive}: as many as pay`,
      setting: 'streams',
      parse: list(streamsOf),
    },
    {
      flags: '--chunks <list>',
      description: 'bytes that one call of the sender is given, as 4k, 64k or 1M',
      setting: 'chunks',
      parse: list(size(mostChunk)),
    },
    {
      flags: '--congestion <list>',
      description: 'congestion controls, as the system names them',
      setting: 'congestion',
      parse: list(String),
    },
    {
      flags: '--peers <list>',
      description: `who sends beside ours: ${peers.join(', ')} or none`,
      setting: 'peers',
      parse: (text) => (text === 'none' ? [] : names(peers, 'peer')(text)),
    },
    {
      flags: '--checksum <whether>',
      description: 'yes: each stream of ours is checked end to end; no: bytes are counted, as iperf3 does',
      setting: 'checked',
      parse: (text) => names(['yes', 'no'], 'answer')(text)[0] === 'yes',
    },
    {
      flags: '--memory <bytes>',
      description:
        'what ours send, round and round: of a chunk alone, as iperf3 has it, all stays in the cache',
      setting: 'memory',
      parse: size(mostMemory),
    },
    {
      flags: '--duration <time>',
      description: 'how long each transfer sends',
      setting: 'durationMs',
      parse: (text) => Math.max(1, Math.round(duration(text) / 1e6)),
    },
  ],
  profile,
  // Three blocks are all, and fewer have no interval: the budget is for a machine that is slow.
  pace: (name) => (name === 'quick' ? { blocks: { min: 3, max: 3 }, budgetMs: 900_000 } : {}),
  cells,
  trial({ backend, impl, way, choice, ...asked }, { checked, memory, durationMs }) {
    const common = { kind: 'transfer' as const, ...asked, durationMs };
    if (impl === 'iperf3') return { ...common, by: impl };
    const by = {
      backend: backend ?? 'poll',
      way: way === 'rdma' ? ('copy' as const) : way,
      adaptive: choice === adaptive,
      checked,
      memory,
    };
    return way === 'rdma'
      ? {
          ...common,
          by,
          missing: 'RDMA is not available on this host: it needs a device that this suite has never had',
        }
      : { ...common, by };
  },
  primary: ['transfer-rate'],
  glance(sample) {
    const [rate, cpu] = (['transfer-rate', 'transfer-cpu'] as const).map((id) => metric(id).of(sample));
    return rate == null ? '' : `${rate.toFixed(rate < 100 ? 1 : 0)} MB/s, ${cpu?.toFixed(2) ?? '-'} CPU s/GB`;
  },
  plots: [
    { kind: 'lines', metric: 'transfer-rate', logY: true },
    { kind: 'lines', metric: 'transfer-cpu', logY: true },
    { kind: 'lines', metric: 'transfer-calls-sender', logY: true },
    { kind: 'lines', metric: 'transfer-calls-receiver', logY: true },
    { kind: 'lines', metric: 'transfer-events-sender', logY: true },
    { kind: 'lines', metric: 'transfer-events-receiver', logY: true },
    { kind: 'lines', metric: 'transfer-setup', logY: true },
    { kind: 'lines', metric: 'transfer-fairness', logY: false },
    { kind: 'lines', metric: 'transfer-memory-receiver', logY: false },
  ],
  compared: [
    { metric: 'transfer-rate', scale: 'ratio' },
    { metric: 'transfer-cpu', scale: 'ratio' },
  ],
  answers: [],
  gains: { metric: 'transfer-rate', peer: { impl: 'iperf3' }, chosenBy: 'choice' },
  modelled: [],
  closing: { rates: ['transfer-rate'], costs: ['transfer-cpu'] },
});
