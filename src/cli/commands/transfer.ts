/** `dispatchbench transfer`: bulk data on several streams at once, between two processes of this machine. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import Table from 'cli-table3';
import { type BackendName, backendNames } from '../../contract/common.js';
import {
  mostChunk,
  mostMemory,
  mostStreams,
  type TransferWay,
  transferWays,
} from '../../contract/transfer.js';
import { parseCpuList } from '../../cpu-list.js';
import { list, names } from '../../experiments/flags.js';
import { memoryCopy } from '../../hosts/machine.js';
import type { Iperf3Result } from '../../iperf3/iperf3.js';
import { number } from '../../number.js';
import { durationOption, wholeNumber } from '../../options.js';
import { withInterval, wrap } from '../../report/format.js';
import { measureIperf3 } from '../../stage/iperf3.js';
import { measureTransfer, type Transfer } from '../../stage/transfer.js';
import { blockedRatio, meanInterval } from '../../statistics/interval.js';
import { withExamples } from '../examples.js';

const iperf3 = 'iperf3';

/** What a repetition came to, whoever measured it; of two numbers the first is the sender's. */
interface Figures {
  /** bytes per second, from the first byte to the last stream's end */
  rate: number;
  congestion: string;
  cpuPerGb: [number, number];
  /** null of a peer, which does not tell */
  callsPerMb: [number, number] | null;
  eventsPerWait: [number, number] | null;
  resent: number | null;
}

/** One row of the table: what is asked, and what each repetition measured. */
interface Row {
  backend: string;
  congestion: string;
  chunk: number;
  /** a way of ours, or the peer's name */
  way: string;
  streams: number;
  measure(): Promise<Transfer | Iperf3Result>;
  measured: (Transfer | Iperf3Result)[];
}

/** '64k', '1M' -> bytes, by powers of 1024 */
const bytes =
  (most: number) =>
  (text: string): number => {
    const [, digits, unit] = text.match(/^(\d+)([kM]?)$/) ?? [];
    const value = Number(digits) * { '': 1, k: 1 << 10, M: 1 << 20 }[unit ?? '']!;
    if (value >= 1 && value <= most) return value;
    throw new InvalidArgumentError(
      `'${text}' is not a number of bytes up to ${most >> 20}M: write 4096, 64k or 1M.`,
    );
  };

export const transfer = new Command('transfer')
  .description(
    'send bulk data on several streams at once from one process to another over loopback, and check every stream end to end',
  )
  .option(
    '--streams <list>',
    'connections that send at the same time',
    list(wholeNumber(1, mostStreams)),
    [1, 8],
  )
  .option(
    '--way <list>',
    `how bytes come to the socket: ${transferWays.join(', ')}`,
    names(transferWays, 'way'),
    [...transferWays],
  )
  .option('--chunk <list>', 'bytes that one call is given, as 4k, 64k or 1M', list(bytes(mostChunk)), [
    64 << 10,
  ])
  .addOption(
    new Option(
      '--memory <bytes>',
      'what is sent, round and round; a chunk of it stays in the cache, as iperf3 has it',
    )
      .argParser(bytes(mostMemory))
      .default(8 << 20, '8M'),
  )
  .option('--backend <list>', 'mechanisms, at both ends', names(backendNames, 'backend'), ['epoll'])
  .option('--congestion <list>', 'congestion control of the sockets, as the system names it', list(String), [
    'cubic',
  ])
  .addOption(durationOption('--duration <time>', 'how long each repetition sends', '1s'))
  .option('--repeat <n>', 'repetitions of all, one after the other', wholeNumber(1, 1000), 3)
  .option('--no-checksum', 'count bytes only: nobody looks whether they are those that were sent')
  .addOption(
    durationOption(
      '--patience <time>',
      'a stream on which nothing moves for so long ends the transfer',
      '10s',
    ),
  )
  .addOption(new Option('--cpu <list>', 'CPUs: the first sends, the others receive').argParser(parseCpuList))
  .option('--peer <list>', `who sends beside ours, in turn with it: ${iperf3}`, names([iperf3], 'peer'))
  .option('--json', 'print what every repetition measured, as JSON')
  .action(async ({ json, repeat, ...asked }) => {
    const { bytesPerSecond } = await memoryCopy();
    const rows = rowsOf(asked);
    for (let repetition = 0; repetition < repeat; repetition++) {
      // Each of them first in its turn, so that a machine that slows down slows all.
      for (const at of rows.keys()) {
        const row = rows[(at + repetition) % rows.length]!;
        row.measured.push(await row.measure());
      }
    }
    if (json) {
      const transfers = rows.flatMap(({ measured, measure: _, ...asked }) =>
        measured.map((one) => ({ asked, possible: figures(one).rate <= bytesPerSecond, ...one })),
      );
      console.log(JSON.stringify({ memoryCopyBytesPerSecond: bytesPerSecond, transfers }, null, 2));
    } else console.log(describe(rows, bytesPerSecond, asked.checksum));
  });

interface Asked {
  streams: number[];
  way: string[];
  chunk: number[];
  backend: string[];
  congestion: string[];
  duration: number;
  memory: number;
  patience: number;
  checksum: boolean;
  cpu?: number[] | undefined;
  peer?: string[] | undefined;
}

function rowsOf({ duration, memory, patience, checksum, cpu = [], peer = [], ...axes }: Asked): Row[] {
  const ms = (ns: number) => Math.max(1, Math.round(ns / 1e6));
  const durationMs = ms(duration);
  const common = { memory, checked: checksum, cpus: cpu, patienceMs: ms(patience), length: { durationMs } };
  const ends = { sender: cpu.slice(0, 1), receiver: cpu.length > 1 ? cpu.slice(1) : cpu };
  return axes.backend.flatMap((backend) =>
    axes.congestion.flatMap((congestion) =>
      axes.chunk.flatMap((chunk) =>
        [...axes.way, ...peer].flatMap((way) =>
          axes.streams.map((streams): Row => {
            const kind = { congestion, chunk, streams };
            const measure = peer.includes(way)
              ? () => measureIperf3({ ...kind, durationMs, cpus: ends })
              : () =>
                  measureTransfer({
                    ...common,
                    ...kind,
                    backend: backend as BackendName,
                    way: way as TransferWay,
                  });
            return { ...kind, backend, way, measure, measured: [] };
          }),
        ),
      ),
    ),
  );
}

const gigabyte = 1e9;

function figures(one: Transfer | Iperf3Result): Figures {
  if ('seconds' in one) {
    const { bytes, seconds, cpuS, retransmits, congestion } = one;
    return {
      rate: bytes / seconds,
      congestion: congestion ?? '',
      cpuPerGb: [cpuS.sender / (bytes / gigabyte), cpuS.receiver / (bytes / gigabyte)],
      callsPerMb: null,
      eventsPerWait: null,
      resent: retransmits,
    };
  }
  const { sender, receiver } = one;
  type End = typeof sender | typeof receiver;
  const both = (of: (end: End) => number): [number, number] => [of(sender), of(receiver)];
  return {
    rate: sender.bytes / (sender.wallNs / 1e9),
    congestion: sender.congestion,
    cpuPerGb: both(({ cpu, bytes }) => (cpu.userUs + cpu.systemUs) / 1e6 / (bytes / gigabyte)),
    // All of them, the waits among them.
    callsPerMb: both(
      ({ calls, counters, bytes }) =>
        (calls.sends + calls.receives + calls.completions + counters.waits + counters.changeCalls) /
        (bytes / 1e6),
    ),
    eventsPerWait: both(({ counters }) => counters.events / Math.max(1, counters.waits)),
    resent: sum(sender.streams.map(({ retransmits }) => retransmits ?? 0)),
  };
}

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

const mean = (values: readonly number[]): number => sum(values) / values.length;

/** The sender's and the receiver's, means over repetitions; nothing where it is not told. */
function bothEnds(values: readonly ([number, number] | null)[]): string {
  const told = values.filter((one) => one !== null);
  if (told.length === 0) return '';
  return ([0, 1] as const).map((end) => number(mean(told.map((one) => one[end])), 3)).join(' + ');
}

function describe(rows: readonly Row[], copied: number, checked: boolean): string {
  const axes: readonly [string, (row: Row) => string | number][] = [
    ['backend', ({ backend }) => backend],
    ['congestion control', ({ measured }) => figures(measured[0]!).congestion],
    ['chunk', ({ chunk }) => chunk],
  ];
  const varying = axes.filter(([, of]) => new Set(rows.map(of)).size > 1);
  const fixed = axes.filter((axis) => !varying.includes(axis)).map(([name, of]) => `${name} ${of(rows[0]!)}`);
  const table = new Table({
    head: [
      ...varying.map(([name]) => name),
      ...['way', 'streams', 'GB/s', 'CPU s/GB', 'calls/MB', 'events/wait', 'resent'],
    ],
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) {
    const all = row.measured.map(figures);
    const impossible = all.some(({ rate }) => rate > copied) ? ' impossible' : '';
    const resent = all.flatMap((one) => one.resent ?? []);
    table.push([
      ...varying.map(([, of]) => of(row)),
      row.way,
      row.streams,
      `${withInterval(meanInterval(all.map(({ rate }) => rate / gigabyte)))}${impossible}`,
      bothEnds(all.map((one) => one.cpuPerGb)),
      bothEnds(all.map((one) => one.callsPerMb)),
      bothEnds(all.map((one) => one.eventsPerWait)),
      resent.length > 0 ? number(sum(resent)) : '',
    ]);
  }
  const whole = checked
    ? 'every stream of ours came whole (XXH64), and our CPU includes the checksums of both ends'
    : 'no checksum: bytes were counted, and nobody looked whether they are those that were sent';
  return [
    wrap(
      `${[`${rows[0]!.measured.length} repetitions over loopback`, ...fixed, whole].join('; ')}. 95 % intervals; sender + receiver; calls: all system calls; resent: segments. Memory is copied at ${number(copied / gigabyte, 3)} GB/s here: a rate above that is marked impossible.`,
      '',
    ),
    String(table),
    ...notes(rows),
    ...[...gains(rows), ...beside(rows)].map((text) => wrap(text, '')),
  ].join('\n');
}

/** What a reader would take for something else. */
function notes(rows: readonly Row[]): string[] {
  const told = rows.flatMap(({ measured }) =>
    measured.flatMap((one) => ('sender' in one ? (one.sender.zeroCopy ?? []) : [])),
  );
  const completed = sum(told.map((one) => one.completed));
  const after = sum(told.map((one) => one.copied));
  if (after === 0) return [];
  const share = number((100 * after) / completed, 3);
  return [
    wrap(`zerocopy: the kernel copied ${share} % of these sends after all, as it does on loopback.`, ''),
  ];
}

const kindOf = ({ backend, congestion, chunk }: Row) => `${backend}, ${congestion}, chunk ${chunk}`;
const blocks = ({ measured }: Row) => measured.map((one, block) => ({ block, value: figures(one).rate }));

/** "1.07 [1.02, 1.13] of the rate: more" */
function against(row: Row, other: Row): string {
  const ratio = blockedRatio(blocks(row), blocks(other));
  const { low, high } = ratio;
  const verdict =
    low === null || high === null ? '' : low > 1 ? ': more' : high < 1 ? ': less' : ': no difference shown';
  return `${withInterval(ratio)} of the rate${verdict}`;
}

/** What more streams bring over the fewest of the same kind. */
function gains(rows: readonly Row[]): string[] {
  const ofWay = (row: Row) => `${kindOf(row)}, ${row.way}`;
  return [...new Set(rows.map(ofWay))].flatMap((kind) => {
    const [fewest, ...others] = rows
      .filter((row) => ofWay(row) === kind)
      .sort((a, b) => a.streams - b.streams);
    return others.map(
      (row) => `${kind}: ${row.streams} streams against ${fewest!.streams}: ${against(row, fewest!)}`,
    );
  });
}

/** Ours against the peer's at as many streams. */
function beside(rows: readonly Row[]): string[] {
  return rows.flatMap((row) => {
    const peer = rows.find(
      (one) => one.way === iperf3 && kindOf(one) === kindOf(row) && one.streams === row.streams,
    );
    if (row.way === iperf3 || !peer) return [];
    return [`${kindOf(row)}, streams ${row.streams}: ${row.way} against ${iperf3}: ${against(row, peer)}`];
  });
}

withExamples(transfer, [
  ['transfer --streams 1,8,64 --backend select,epoll --way copy', 'what more streams bring, and cost'],
  ['transfer --peer iperf3 --no-checksum --memory 64k', 'beside iperf3, doing what it does'],
]);
