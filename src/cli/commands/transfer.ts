/** `dispatchbench transfer`: bulk data on several streams at once, from one process to another. */
import { Command, Option } from '@commander-js/extra-typings';
import Table from 'cli-table3';
import { type BackendName, backendNames } from '../../contract/common.js';
import type { Pinning } from '../../contract/sample.js';
import {
  adaptive,
  mostAdaptive,
  mostChunk,
  mostMemory,
  type TransferWay,
  transferPeers,
  transferWays,
} from '../../contract/transfer.js';
import { parseCpuList } from '../../cpu-list.js';
import { list, names, size, streamsOf } from '../../experiments/flags.js';
import { number } from '../../number.js';
import { durationOption, wholeNumber } from '../../options.js';
import { withInterval, wrap } from '../../report/format.js';
import type { Site } from '../../stage/on-stage.js';
import { places } from '../../stage/places.js';
import { blockedRatio, meanInterval } from '../../statistics/interval.js';
import {
  impossibleRate,
  type TransferMeasurement,
  type TransferTrial,
  transferFigures,
  transferOnce,
} from '../../trials/transfer.js';
import { withExamples } from '../examples.js';
import { hostOption, linked, linkOption, onHost } from '../on-host.js';

/** One row of the table: what is asked, and what each repetition measured. */
interface Row {
  backend: string;
  congestion: string;
  chunk: number;
  /** a way of ours, or the peer's name */
  way: string;
  streams: number | typeof adaptive;
  trial: TransferTrial;
  measured: TransferMeasurement[];
}

export const transfer = new Command('transfer')
  .description(
    'send bulk data on several streams at once from one process to another, and check every stream end to end',
  )
  .addOption(hostOption())
  .addOption(linkOption())
  .option(
    '--streams <list>',
    `connections that send at the same time; ${adaptive}: as many as pay, of ${mostAdaptive}`,
    list(streamsOf),
    [1, 8],
  )
  .option(
    '--way <list>',
    `how bytes come to the socket: ${transferWays.join(', ')}`,
    names(transferWays, 'way'),
    [...transferWays],
  )
  .option('--chunk <list>', 'bytes that one call is given, as 4k, 64k or 1M', list(size(mostChunk)), [
    64 << 10,
  ])
  .addOption(
    new Option(
      '--memory <bytes>',
      'what is sent, round and round; a chunk of it stays in the cache, as iperf3 has it',
    )
      .argParser(size(mostMemory))
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
  .option(
    '--peer <list>',
    `who sends beside ours, in turn with it: ${transferPeers.join(', ')} (by sendfile)`,
    names(transferPeers, 'peer'),
  )
  .option('--json', 'print what every repetition measured, as JSON')
  .action(async ({ json, repeat, host, link, ...asked }) => {
    await onHost(linked(host, link), async (site) => {
      const rows = rowsOf(asked);
      for (let repetition = 0; repetition < repeat; repetition++) {
        // Each of them first in its turn, so that a machine that slows down slows all.
        for (const at of rows.keys()) {
          const row = rows[(at + repetition) % rows.length]!;
          row.measured.push(await transferOnce(row.trial, placed(site, asked.cpu)));
        }
      }
      if (json) console.log(JSON.stringify({ transfers: rows.flatMap(inJson) }, null, 2));
      else console.log(describe(rows, site.roles.name, asked.checksum));
    });
  });

/** Of the CPUs that were named the first sends, the others receive; one does both. */
function placed({ roles, signal }: Site, cpus: readonly number[] | undefined): Site {
  if (!cpus) return { roles, signal };
  const [first, ...others] = cpus as [number, ...number[]];
  const pinning: Pinning = places(roles.server.look, roles.client.look, {
    client: [first],
    server: others.length > 0 ? others : [first],
  });
  return { roles, signal, pinning };
}

const inJson = ({ measured, trial: asked }: Row) =>
  measured.map((one) => ({
    asked,
    impossible: impossibleRate(transferFigures(one).bytesPerSecond, one.copyBytesPerSecond),
    ...one,
  }));

interface Asked {
  streams: (number | typeof adaptive)[];
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

function rowsOf({ duration, memory, patience, checksum, peer = [], ...axes }: Asked): Row[] {
  const ms = (ns: number) => Math.max(1, Math.round(ns / 1e6));
  return axes.backend.flatMap((backend) =>
    axes.congestion.flatMap((congestion) =>
      axes.chunk.flatMap((chunk) =>
        [...axes.way, ...peer].flatMap((way) =>
          axes.streams.flatMap((streams): Row[] => {
            const other = transferPeers.find((name) => name === way);
            if (other && streams === adaptive) return [];
            const asked = {
              congestion,
              chunk,
              streams: streams === adaptive ? mostAdaptive : streams,
            };
            const ours = {
              backend: backend as BackendName,
              way: way as TransferWay,
              adaptive: streams === adaptive,
              checked: checksum,
              memory,
              patienceMs: ms(patience),
            };
            const by = other ?? ours;
            const trial: TransferTrial = { kind: 'transfer', ...asked, durationMs: ms(duration), by };
            return [{ ...asked, streams, backend, way, trial, measured: [] }];
          }),
        ),
      ),
    ),
  );
}

const gigabyte = 1e9;
const megabyte = 1e6;

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

const mean = (values: readonly number[]): number => sum(values) / values.length;

/** The sender's and the receiver's, means over repetitions; nothing where it is not told. */
function bothEnds(values: readonly ([number, number] | undefined)[]): string {
  const told = values.filter((one) => one !== undefined);
  if (told.length === 0) return '';
  return ([0, 1] as const).map((end) => number(mean(told.map((one) => one[end])), 3)).join(' + ');
}

function describe(rows: readonly Row[], host: string, checked: boolean): string {
  const axes: readonly [string, (row: Row) => string | number][] = [
    ['backend', ({ backend }) => backend],
    ['congestion control', ({ measured }) => transferFigures(measured[0]!).congestion ?? ''],
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
    const all = row.measured.map(transferFigures);
    const cannotBe = row.measured.some(
      (one, i) => impossibleRate(all[i]!.bytesPerSecond, one.copyBytesPerSecond) !== null,
    );
    const resent = all.flatMap((one) => one.resent ?? []);
    const per = (what: 'cpuS' | 'calls', unit: number) =>
      all.map((one) => one[what]?.map((value) => value / (one.bytes / unit)) as [number, number] | undefined);
    table.push([
      ...varying.map(([, of]) => of(row)),
      row.way,
      row.streams,
      `${withInterval(meanInterval(all.map((one) => one.bytesPerSecond / gigabyte)))}${cannotBe ? ' impossible' : ''}`,
      bothEnds(per('cpuS', gigabyte)),
      bothEnds(per('calls', megabyte)),
      bothEnds(all.map((one) => one.eventsPerWait ?? undefined)),
      resent.length > 0 ? number(sum(resent)) : '',
    ]);
  }
  const whole = checked
    ? 'every stream of ours came whole (XXH64), and our CPU includes the checksums of both ends'
    : 'no checksum: bytes were counted, and nobody looked whether they are those that were sent';
  return [
    wrap(
      `${[`${rows[0]!.measured.length} repetitions on host ${host}`, ...fixed, whole].join('; ')}. 95 % intervals; sender + receiver; calls: all system calls; resent: segments. Memory is copied at ${number(rows[0]!.measured[0]!.copyBytesPerSecond / gigabyte, 3)} GB/s here: a rate above that is marked impossible.`,
      '',
    ),
    String(table),
    ...notes(rows),
    ...[...gains(rows), ...beside(rows)].map((text) => wrap(text, '')),
  ].join('\n');
}

/** What a reader would take for something else. */
function notes(rows: readonly Row[]): string[] {
  const told = rows.flatMap(({ measured }) => measured.flatMap(({ ours }) => ours?.sender.zeroCopy ?? []));
  const completed = sum(told.map((one) => one.completed));
  const after = sum(told.map((one) => one.copied));
  const share = number((100 * after) / completed, 3);
  const adapted = rows.flatMap(({ measured }) => measured.at(-1)?.ours?.sender.adaptive ?? []);
  return [
    ...(after === 0
      ? []
      : [`zerocopy: the kernel copied ${share} % of these sends after all, as it does on loopback.`]),
    ...adapted.map(
      ({ link, roundTripNs, turns }) =>
        `${adaptive}: link of class ${link} (round trip ${number(roundTripNs / megabyte, 3)} ms): ${turns
          .map(({ atNs, streams }) => `${streams} streams from ${number(atNs / gigabyte, 3)} s`)
          .join(', ')}.`,
    ),
  ].map((text) => wrap(text, ''));
}

const kindOf = ({ backend, congestion, chunk }: Row) => `${backend}, ${congestion}, chunk ${chunk}`;
const blocks = ({ measured }: Row) =>
  measured.map((one, block) => ({
    block,
    value: transferFigures(one).bytesPerSecond,
  }));

/** "1.07 [1.02, 1.13] of the rate: more" */
function against(row: Row, other: Row): string {
  const ratio = blockedRatio(blocks(row), blocks(other));
  const { low, high } = ratio;
  const verdict =
    low === null || high === null ? '' : low > 1 ? ': more' : high < 1 ? ': less' : ': no difference shown';
  return `${withInterval(ratio)} of the rate${verdict}`;
}

const rateOf = ({ measured }: Row) =>
  sum(measured.map((one) => transferFigures(one).bytesPerSecond)) / measured.length;

/** What more streams bring over the fewest of the same kind, and as many as pay over the number that was best. */
function gains(rows: readonly Row[]): string[] {
  const ofWay = (row: Row) => `${kindOf(row)}, ${row.way}`;
  return [...new Set(rows.map(ofWay))].flatMap((kind) => {
    const alike = rows.filter((row) => ofWay(row) === kind);
    const [fewest, ...others] = alike
      .filter(({ streams }) => streams !== adaptive)
      .sort((a, b) => Number(a.streams) - Number(b.streams));
    if (!fewest) return [];
    const best = [fewest, ...others].sort((a, b) => rateOf(b) - rateOf(a))[0]!;
    return [
      ...others.map(
        (row) => `${kind}: ${row.streams} streams against ${fewest.streams}: ${against(row, fewest)}`,
      ),
      ...alike
        .filter(({ streams }) => streams === adaptive)
        .map((row) => `${kind}: ${adaptive} against ${best.streams}, the best here: ${against(row, best)}`),
    ];
  });
}

const isPeer = ({ trial: { by } }: Row) => typeof by === 'string';

/** Ours against the peers' at as many streams. */
function beside(rows: readonly Row[]): string[] {
  const peers = rows.filter(isPeer);
  return rows
    .filter((row) => !isPeer(row))
    .flatMap((row) =>
      peers
        .filter((one) => kindOf(one) === kindOf(row) && one.streams === row.streams)
        .map(
          (peer) =>
            `${kindOf(row)}, streams ${row.streams}: ${row.way} against ${peer.way}: ${against(row, peer)}`,
        ),
    );
}

withExamples(transfer, [
  ['transfer --streams 1,8,64 --backend select,epoll --way copy', 'what more streams bring, and cost'],
  ['transfer --peer iperf3 --no-checksum --memory 64k', 'beside iperf3, doing what it does'],
  [
    "transfer --host netns --link 'delay=20ms loss=1% rate=100mbit' --congestion cubic,bbr --way copy --duration 5s",
    'over a link that loses packets',
  ],
]);
