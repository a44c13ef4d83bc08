/**
 * Bulk data on several streams at once: the client's side sends as fast as it can for a while, the server's receives. By our
 * program, which checks every stream end to end, or by a real iperf3 in its place.
 */
import { z } from 'zod';
import type { BackendName } from '../contract/common.js';
import { count } from '../contract/common.js';
import type { MemoryCopy } from '../contract/host.js';
import { ownTransfer, peerTransfer, type TransferPeer, type TransferWay } from '../contract/transfer.js';
import type { Host } from '../hosts/host.js';
import { whereIs } from '../hosts/where-is.js';
import { transferByIperf3 } from '../stage/iperf3.js';
import { onStage, type Site } from '../stage/on-stage.js';
import { transfer as transferOn } from '../stage/transfer.js';
import { bulkWords } from './bulk-words.js';
import { invalid, percent, warning } from './gates.js';
import { type KindMetric, trialKind } from './kind.js';

export interface TransferTrial {
  kind: 'transfer';
  streams: number;
  /** bytes that one call of the sender is given at most */
  chunk: number;
  /** of the sockets, as the system names it */
  congestion: string;
  durationMs: number;
  by:
    | TransferPeer
    | {
        backend: BackendName;
        way: TransferWay;
        /** a checksum for each stream; without, bytes are counted */
        checked: boolean;
        /** of the streams as many send as pay */
        adaptive?: boolean | undefined;
        /** bytes that are sent round and round; left out: the program's own choice */
        memory?: number | undefined;
        /** bytes that one call of the receiver takes at most; left out: its own choice */
        received?: number | undefined;
        /** a stream on which nothing moves for so long ends the transfer; left out: the program's own choice */
        patienceMs?: number | undefined;
      };
  /** why it cannot be carried out anywhere; left out: it can */
  missing?: string | undefined;
}

export const transferMeasurement = z.object({
  kind: z.literal('transfer'),
  streams: count.min(1),
  chunk: count.min(1),
  /** congestion control as it was asked for */
  congestion: z.string(),
  durationMs: count.min(1),
  /** of one thread that copies memory on the sender's host, measured once while that host stands: nothing is faster */
  copyBytesPerSecond: z.number().positive(),
  /** one of the two */
  ours: ownTransfer.optional(),
  iperf3: peerTransfer.optional(),
});
export type TransferMeasurement = z.infer<typeof transferMeasurement>;

/** What a transfer came to, whoever carried it out; of two numbers the first is the sender's. */
export interface TransferFigures {
  bytes: number;
  /** from the first byte of data to the last stream's end */
  seconds: number;
  bytesPerSecond: number;
  congestion: string | null;
  cpuS: [number, number];
  /** null of a peer, which does not tell: system calls, those that wait among them */
  calls: [number, number] | null;
  eventsPerWait: [number, number] | null;
  peakRssBytes: [number, number] | null;
  /** segments sent again */
  resent: number | null;
}

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

export function transferFigures({ ours, iperf3 }: TransferMeasurement): TransferFigures {
  if (!ours) {
    const { bytes, seconds, cpuS, retransmits, congestion } = iperf3!;
    return {
      bytes,
      seconds,
      bytesPerSecond: bytes / seconds,
      congestion,
      cpuS: [cpuS.sender, cpuS.receiver],
      calls: null,
      eventsPerWait: null,
      peakRssBytes: null,
      resent: retransmits,
    };
  }
  const { sender, receiver, streams } = ours;
  type End = typeof sender | typeof receiver;
  const both = (of: (end: End) => number): [number, number] => [of(sender), of(receiver)];
  const seconds = sender.wallNs / 1e9;
  return {
    bytes: sender.bytes,
    seconds,
    bytesPerSecond: sender.bytes / seconds,
    congestion: sender.congestion,
    cpuS: both(({ cpu }) => (cpu.userUs + cpu.systemUs) / 1e6),
    calls: both(
      ({ calls, counters }) =>
        calls.sends +
        calls.fills +
        calls.receives +
        calls.completions +
        calls.looks +
        counters.waits +
        counters.changeCalls,
    ),
    eventsPerWait: both(({ counters }) => counters.events / Math.max(1, counters.waits)),
    peakRssBytes: both(({ peakRssBytes }) => peakRssBytes),
    resent: streams.retransmits && sum(streams.retransmits),
  };
}

/** Why a rate cannot be: no byte crosses without being copied once, by one thread. Null: it can. */
export function impossibleRate(bytesPerSecond: number, copyBytesPerSecond: number): string | null {
  if (bytesPerSecond <= copyBytesPerSecond) return null;
  const gigabytes = (value: number) => `${Number((value / 1e9).toPrecision(3))} GB/s`;
  return `${gigabytes(bytesPerSecond)} exceed ${gigabytes(copyBytesPerSecond)}, at which memory is copied here`;
}

/** Measured once: it takes a part of a second, and does not change. */
const copies = new WeakMap<Host, Promise<MemoryCopy>>();
function copyOn(host: Host): Promise<MemoryCopy> {
  const known = copies.get(host) ?? host.memoryCopy();
  copies.set(host, known);
  return known;
}

const isPeer = (by: TransferTrial['by']): by is TransferPeer => typeof by === 'string';

const missingIperf3 = () =>
  whereIs('iperf3') === null
    ? 'there is no program iperf3: install it (Debian: apt-get install iperf3)'
    : undefined;

/** Descriptors of one end for each stream: in the way splice a pipe as well. */
const descriptorsOf = (way: TransferWay) => (way === 'splice' ? 3 : 1);

/** Neither end was at work for more of the time than this: something else held them up. */
const busyEnd = 0.9;
/** What is in buffers when the time is over takes this share of it at most to arrive. */
const longDrain = 0.5;

const gigabyte = 1e9;
const megabyte = 1e6;
const mebibyte = 1 << 20;

const ends = [
  { name: 'sender', at: 0 },
  { name: 'receiver', at: 1 },
] as const;

/** A figure of either end. */
const ofEnds = <const Id extends string>(
  id: Id,
  title: string,
  { unit, better, digits, meaning }: Pick<KindMetric<never>, 'unit' | 'better' | 'digits' | 'meaning'>,
  figure: (figures: TransferFigures) => [number, number] | null,
) =>
  ends.map(
    ({ name, at }): KindMetric<TransferMeasurement, `${Id}-${(typeof ends)[number]['name']}`> => ({
      id: `${id}-${name}`,
      title: `${title}, ${name}`,
      unit,
      better,
      digits,
      meaning,
      from: ['transfer'],
      of: (measurement) => figure(transferFigures(measurement))?.[at] ?? null,
    }),
  );

export const transfer = trialKind({
  id: 'transfer',
  measurement: transferMeasurement,
  // Data begins when all streams stand: what was dropped before is in the time to set them up, and in no rate.
  connects: 'freely',

  needs: ({ streams, by, missing }: TransferTrial) => ({
    backend: isPeer(by) ? null : by.backend,
    byNode: isPeer(by),
    missing: missing ?? (isPeer(by) ? missingIperf3() : undefined),
    perProcess: isPeer(by) ? streams : streams * descriptorsOf(by.way),
    what: 'streams',
    connections: streams,
    active: streams,
  }),

  async carryOut({ streams, chunk, congestion, durationMs, by }, stage, done) {
    const { bytesPerSecond: copyBytesPerSecond } = await copyOn(stage.host('client'));
    await stage.watchNetwork();
    const asked = { streams, chunk, congestion };
    const measured = isPeer(by)
      ? { iperf3: await transferByIperf3(stage, { ...asked, durationMs, zeroCopy: by === 'iperf3-Z' }) }
      : { ours: await transferOn(stage, { ...asked, ...by, length: { durationMs } }) };
    done('transfer', { kind: 'transfer', ...asked, durationMs, copyBytesPerSecond, ...measured });
  },

  gates(name, measurement, link) {
    const { congestion: asked, durationMs, copyBytesPerSecond, ours } = measurement;
    const { bytes, bytesPerSecond, congestion, seconds, cpuS } = transferFigures(measurement);
    const impossible = impossibleRate(bytesPerSecond, copyBytesPerSecond);
    const [sender, receiver] = cpuS.map((one) => one / seconds) as [number, number];
    const drained = seconds - durationMs / 1000;
    const { completed = 0, copied = 0 } = ours?.sender.zeroCopy ?? {};
    if (bytes === 0) return [invalid('no-bytes', `${name}: no byte of data arrived`)];
    return [
      ...(impossible ? [invalid('impossible-rate', `${name}: ${impossible}`)] : []),
      ...(congestion && congestion !== asked
        ? [invalid('other-congestion', `${name}: the sockets had ${congestion}, and ${asked} was asked for`)]
        : []),
      ...(!link && sender < busyEnd && receiver < busyEnd
        ? [
            warning(
              'nobodys-limit',
              `${name}: sender ${percent(sender)} and receiver ${percent(receiver)} busy: something else set the pace, as a congestion control does that spaces packets`,
            ),
          ]
        : []),
      ...(ours && drained > (longDrain * durationMs) / 1000
        ? [
            warning(
              'long-drain',
              `${name}: what was under way when the time was over took ${drained.toFixed(1)} s more to arrive`,
            ),
          ]
        : []),
      ...(copied > 0
        ? [
            warning(
              'copied-after-all',
              `${name}: the kernel copied ${percent(copied / completed)} of the sends without a copy after all, as it does on loopback`,
            ),
          ]
        : []),
    ];
  },

  metrics: [
    {
      ...bulkWords.rate,
      meaning:
        'Bytes of data of all streams over the time from the first of them to the answer for the last stream, so that what was in buffers when the time was over is in it.',
      from: ['transfer'],
      of: (m: TransferMeasurement) => transferFigures(m).bytesPerSecond / megabyte,
    },
    {
      ...bulkWords.cpu,
      meaning: 'CPU time of sender and receiver together; ours include the checksums where there are any.',
      from: ['transfer'],
      of(m: TransferMeasurement) {
        const { cpuS, bytes } = transferFigures(m);
        return sum(cpuS) / (bytes / gigabyte);
      },
    },
    ...ofEnds(
      'transfer-cpu',
      'CPU per GB',
      {
        unit: 's',
        better: 'lower',
        digits: 3,
        meaning: 'On loopback a part of the receiving is charged to whoever sends.',
      },
      ({ cpuS: [sent, got], bytes }) => [sent / (bytes / gigabyte), got / (bytes / gigabyte)],
    ),
    ...ofEnds(
      'transfer-calls',
      'System calls per MB',
      {
        unit: '',
        better: 'neither',
        digits: 2,
        meaning: 'All of them: those that move bytes, those that wait, and changes of interest.',
      },
      ({ calls, bytes }) => calls && [calls[0] / (bytes / megabyte), calls[1] / (bytes / megabyte)],
    ),
    ...ofEnds(
      'transfer-events',
      'Events per wait',
      { unit: '', better: 'neither', digits: 2, meaning: 'How many streams one wait tells of.' },
      ({ eventsPerWait }) => eventsPerWait,
    ),
    ...ofEnds(
      'transfer-memory',
      'Peak memory',
      {
        unit: 'MiB',
        better: 'lower',
        digits: 1,
        meaning: "Of the process; socket buffers are the kernel's.",
      },
      ({ peakRssBytes }) => peakRssBytes && [peakRssBytes[0] / mebibyte, peakRssBytes[1] / mebibyte],
    ),
    {
      id: 'transfer-setup',
      title: 'Setting a stream up, slowest',
      unit: 'ms',
      better: 'lower',
      digits: 3,
      meaning: 'From connect(2) until the connection stood, of the stream that took longest.',
      from: ['transfer'],
      of: ({ ours }: TransferMeasurement) => (ours ? Math.max(...ours.streams.connectNs) / 1e6 : null),
    },
    {
      id: 'transfer-fairness',
      title: 'Fairness among streams',
      unit: '',
      better: 'higher',
      digits: 3,
      meaning:
        "Jain's index of the bytes of each stream: 1 where all moved as many, 1/n where one of n moved all.",
      from: ['transfer'],
      of({ ours }: TransferMeasurement) {
        if (!ours) return null;
        const { bytes } = ours.streams;
        const squares = sum(bytes.map((one) => one * one));
        return squares === 0 ? null : sum(bytes) ** 2 / (bytes.length * squares);
      },
    },
    {
      id: 'transfer-adapted',
      title: 'Streams that sent in the end',
      unit: '',
      better: 'neither',
      digits: 0,
      meaning: 'Where the number of streams followed from what it brought.',
      from: ['transfer'],
      of: ({ ours }: TransferMeasurement) => ours?.sender.adaptive?.turns.at(-1)?.streams ?? null,
    },
    {
      ...bulkWords.resent,
      from: ['transfer'],
      of(m: TransferMeasurement) {
        const { resent, bytes } = transferFigures(m);
        return resent === null ? null : resent / (bytes / megabyte);
      },
    },
  ],

  served: () => null,
  distributions: () => ({}),
  durationNs: (measurement) => transferFigures(measurement).seconds * 1e9,
});

/** One transfer, without a run around it. @throws Error in one sentence when it cannot be measured */
export function transferOnce(trial: TransferTrial, site: Site): Promise<TransferMeasurement> {
  return onStage(site, async (stage) => {
    let measured: TransferMeasurement | undefined;
    await transfer.carryOut(trial, stage, (_, one) => {
      measured = one;
    });
    return measured!;
  });
}
