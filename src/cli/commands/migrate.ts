/** `dispatchbench migrate`: memory is moved from one process of this machine to another, by ours and by QEMU. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import Table from 'cli-table3';
import { type BackendName, backendName } from '../../contract/common.js';
import {
  type CodecsLine,
  type MigrationCodec,
  migrationCodecs,
  mostMigrationConnections,
  mostMigrationWorkers,
  type PageSet,
  pageSets,
  type QemuWay,
  qemuWays,
} from '../../contract/migrate.js';
import { list, names } from '../../experiments/flags.js';
import { writtenRange } from '../../hosts/writing-guest.js';
import { number } from '../../number.js';
import { durationOption, wholeNumber } from '../../options.js';
import type { MemorySpec } from '../../programs/migrate.js';
import { withInterval, wrap } from '../../report/format.js';
import { compareCodecs, moveByQemu, moveMemory, type OwnMoved, type QemuMoved } from '../../stage/migrate.js';
import { blockedRatio, meanInterval } from '../../statistics/interval.js';
import { withExamples } from '../examples.js';

/** '64M' -> bytes, whole pages */
function memorySize(text: string): number {
  const [, digits, unit] = text.match(/^(\d+)([kMG])$/) ?? [];
  const bytes = Number(digits) * { k: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit ?? 'M']!;
  if (bytes >= 4096 && bytes <= 2 ** 34 && bytes % 4096 === 0) return bytes;
  throw new InvalidArgumentError(
    `'${text}' is no size of memory up to 16G: write 64M, in whole pages of 4k.`,
  );
}

/** '1%' -> millionths */
function share(text: string): number {
  const [, digits] = text.match(/^(\d+(?:\.\d+)?)%$/) ?? [];
  const millionths = Math.round(Number(digits) * 1e4);
  if (millionths >= 1 && millionths <= 1e6) return millionths;
  throw new InvalidArgumentError(`'${text}' is no share of memory: write 1% or 0.1%.`);
}

interface Row {
  memory: MemorySpec;
  pages: string;
  /** Mbit/s; 0: none */
  rate: number;
  way: string;
  peer: boolean;
  measure(): Promise<OwnMoved | QemuMoved>;
  measured: (OwnMoved | QemuMoved)[];
}

interface Figures {
  wireMb: number;
  memoryMb: number;
  seconds: number;
  cpuS: number;
  /** of memory, by CPU time */
  packMbS: number | null;
  unpackMbS: number | null;
  furtherKb: number | null;
  downMs: number | null;
  exact: boolean;
}

function figures(one: OwnMoved | QemuMoved): Figures {
  if ('qemu' in one) {
    const { qemu, wallNs, downNs, carried, memory, exact } = one;
    return {
      wireMb: carried.there / 1e6,
      memoryMb: memory / 1e6,
      seconds: wallNs / 1e9,
      cpuS: qemu.cpuUs / 1e6,
      packMbS: null,
      unpackMbS: null,
      furtherKb: null,
      downMs: downNs === null ? null : downNs / 1e6,
      exact,
    };
  }
  const { sender, receiver, carried } = one;
  const [, ...further] = sender.passes;
  const raw = sum(sender.passes.map(({ rawBytes }) => rawBytes));
  const rate = (bytes: number, ns: number) => (ns === 0 ? null : bytes / 1e6 / (ns / 1e9));
  return {
    wireMb: carried.there / 1e6,
    memoryMb: sender.memory / 1e6,
    seconds: sender.wallNs / 1e9,
    cpuS: (sender.cpu.userUs + sender.cpu.systemUs) / 1e6,
    packMbS: rate(raw, sender.packNs),
    unpackMbS: rate(receiver.unpackedBytes, receiver.unpackNs),
    furtherKb: further.length === 0 ? null : sum(further.map(({ wireBytes }) => wireBytes)) / 1e3,
    downMs: sender.downtimeNs === undefined ? null : sender.downtimeNs / 1e6,
    exact: sender.digest === receiver.digest,
  };
}

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
const qemu = 'qemu';
const peerNames = qemuWays.map((way) => `${qemu}-${way}`);

export const migrate = new Command('migrate')
  .description(
    'move memory from one process to another, as a machine that changes its host does: zero pages left out, what changed since it was last sent told as a difference, compressed, every block and the whole checked at both ends',
  )
  .option('--pages <list>', `page sets by seed: ${pageSets.join(', ')}`, names(pageSets, 'page set'), [
    'vm',
    'mixed',
  ])
  .addOption(
    new Option('--size <bytes>', 'memory of a page set').argParser(memorySize).default(64 << 20, '64M'),
  )
  .option(
    '--file <path>',
    'memory in the place of page sets: a file of whole pages, as a guest of QEMU has its memory in',
  )
  .option('--seed <n>', 'of page sets', wholeNumber(0, 2 ** 32), 1)
  .option(
    '--codec <list>',
    `how it travels: ${migrationCodecs.join(', ')}`,
    names(migrationCodecs, 'codec'),
    ['none', 'zstd', 'auto'],
  )
  .option('--level <n>', 'of the codec; left out: 1', wholeNumber(1, 22))
  .option('--rate <list>', 'of the link, Mbit/s; 0: none', list(wholeNumber(0, 1_000_000)), [0])
  .option('--connections <n>', 'at the same time', wholeNumber(1, mostMigrationConnections), 2)
  .option('--workers <n>', 'threads that compress', wholeNumber(1, mostMigrationWorkers), 2)
  .option('--dirty <share>', 'of the memory that is changed before each further pass', share)
  .option('--passes <n>', 'over memory, at most', wholeNumber(1, 1000))
  .option(
    '--dirty-rate <n>',
    'pages a second that are written to while memory is moved: passes go on until what is left is little, then writing stops',
    wholeNumber(1, 1_000_000_000),
  )
  .addOption(durationOption('--downtime <time>', 'writing stops when what is left takes no longer', '300ms'))
  .option(
    '--backend <name>',
    'mechanism, at both ends',
    (text) => backendName.parse(text),
    'epoll' as BackendName,
  )
  .option(
    '--peer <list>',
    `who moves it beside ours, in turn: ${peerNames.join(', ')}`,
    names(peerNames, 'peer'),
  )
  .option('--codecs', 'move nothing: compare what every codec makes of the page sets')
  .option('--repeat <n>', 'repetitions of all, one after the other', wholeNumber(1, 1000), 3)
  .addOption(
    durationOption('--patience <time>', 'a connection on which nothing moves for so long ends it', '10s'),
  )
  .option('--json', 'print what every repetition measured, as JSON')
  .action(async ({ json, repeat, codecs, ...asked }) => {
    if (codecs) {
      const all: { pages: string; line: CodecsLine }[] = [];
      for (const { name, memory } of memories(asked)) {
        all.push({ pages: name, line: await compareCodecs(memory, asked.dirty) });
      }
      console.log(json ? JSON.stringify(all, null, 2) : all.map(describeCodecs).join('\n\n'));
      return;
    }
    const rows = rowsOf(asked);
    for (let repetition = 0; repetition < repeat; repetition++) {
      // Each of them first in its turn, so that a machine that slows down slows all.
      for (const at of rows.keys()) {
        const row = rows[(at + repetition) % rows.length]!;
        row.measured.push(await row.measure());
      }
    }
    if (json) {
      const moves = rows.flatMap(({ pages, rate, way, measured }) =>
        measured.map((one) => ({ asked: { pages, rate, way }, ...one })),
      );
      console.log(JSON.stringify({ moves }, null, 2));
    } else console.log(describe(rows));
  });

interface Asked {
  pages: string[];
  size: number;
  file?: string | undefined;
  seed: number;
  codec: string[];
  level?: number | undefined;
  rate: number[];
  connections: number;
  workers: number;
  dirty?: number | undefined;
  passes?: number | undefined;
  dirtyRate?: number | undefined;
  downtime: number;
  backend: BackendName;
  peer?: string[] | undefined;
  patience: number;
}

function memories({ file, pages, size, seed }: Pick<Asked, 'file' | 'pages' | 'size' | 'seed'>) {
  if (file !== undefined) return [{ name: 'file', memory: { file } as MemorySpec }];
  return pages.map((name) => ({
    name,
    memory: { pages: name as PageSet, bytes: size, seed } as MemorySpec,
  }));
}

function rowsOf(asked: Asked): Row[] {
  const { connections, workers, level, dirty, dirtyRate, backend, peer = [] } = asked;
  const ms = (ns: number) => Math.max(1, Math.round(ns / 1e6));
  const passes = asked.passes ?? (dirty === undefined ? undefined : 2);
  // Where QEMU's guest writes as well, both write into a range of one size.
  const dirtyWithin = dirtyRate !== undefined && peer.length > 0 ? writtenRange(asked.size).bytes : undefined;
  const common = { workers, dirty, dirtyRate, dirtyWithin, backend, passes };
  const times = { patienceMs: ms(asked.patience), downtimeMs: ms(asked.downtime) };
  const levelled = (codec: MigrationCodec) => (codec === 'lz4' || codec === 'zstd' ? level : undefined);
  return memories(asked).flatMap(({ name, memory }) =>
    asked.rate.flatMap((rate) => {
      const over = { memory, connections, bitsPerSecond: rate === 0 ? null : rate * 1e6 };
      const kind = { memory, pages: name, rate, measured: [] };
      return [
        ...asked.codec.map((codec): Row => {
          const chosen = codec as MigrationCodec;
          const spec = { ...over, ...common, ...times, codec: chosen, level: levelled(chosen) };
          return { ...kind, measured: [], way: codec, peer: false, measure: () => moveMemory(spec) };
        }),
        ...peer.map((way): Row => {
          const { downtimeMs } = times;
          const spec = { ...over, dirtyRate, downtimeMs, way: way.slice(qemu.length + 1) as QemuWay };
          return { ...kind, measured: [], way, peer: true, measure: () => moveByQemu(spec) };
        }),
      ];
    }),
  );
}

const rateWords = (rate: number) => (rate === 0 ? 'none' : `${rate}`);

function describe(rows: readonly Row[]): string {
  const optional: readonly [string, (of: Figures) => number | null][] = [
    ['further passes, kB', ({ furtherKb }) => furtherKb],
    ['downtime, ms', ({ downMs }) => downMs],
  ];
  const all = rows.map((row) => row.measured.map(figures));
  const shown = optional.filter(([, of]) => all.flat().some((one) => of(one) !== null));
  const table = new Table({
    head: [
      ...['pages', 'Mbit/s', 'way', 'wire MB', 'ratio', 'seconds', 'CPU s', 'pack MB/s', 'unpack MB/s'],
      ...shown.map(([name]) => name),
      'exact',
    ],
    style: { head: [], border: [], compact: true },
  });
  for (const [at, row] of rows.entries()) {
    const measured = all[at]!;
    const mean = (of: (one: Figures) => number | null) => {
      const told = measured.flatMap((one) => of(one) ?? []);
      return told.length === 0 ? '' : number(sum(told) / told.length, 3);
    };
    table.push([
      row.pages,
      rateWords(row.rate),
      row.way,
      mean(({ wireMb }) => wireMb),
      mean(({ wireMb, memoryMb }) => memoryMb / wireMb),
      withInterval(meanInterval(measured.map(({ seconds }) => seconds))),
      mean(({ cpuS }) => cpuS),
      mean(({ packMbS }) => packMbS),
      mean(({ unpackMbS }) => unpackMbS),
      ...shown.map(([, of]) => mean(of)),
      measured.every(({ exact }) => exact) ? 'yes' : 'NO',
    ]);
  }
  const repetitions = rows[0]!.measured.length;
  return [
    wrap(
      `${repetitions} repetitions, each through a relay that counts bytes; 95 % intervals, means elsewhere. wire: what the sender wrote; CPU: the sender's; pack, unpack: bytes of memory by CPU time.`,
      '',
    ),
    String(table),
    ...[...unpaid(rows), ...beside(rows)].map((text) => wrap(text, '')),
  ].join('\n');
}

const blocks = ({ measured }: Row, of: (one: Figures) => number) =>
  measured.map((one, block) => ({ block, value: of(figures(one)) }));
const kindOf = ({ pages, rate }: Row) => `${pages}, ${rate === 0 ? 'no rate' : `${rate} Mbit/s`}`;
const secondsOf = ({ seconds }: Figures) => seconds;

/** Where compression does not pay: memory is there no sooner than as it is. */
function unpaid(rows: readonly Row[]): string[] {
  return rows.flatMap((row) => {
    const plain = rows.find((one) => one.way === 'none' && kindOf(one) === kindOf(row));
    if (!plain || row.way === 'none' || row.peer) return [];
    const { estimate, high } = blockedRatio(blocks(row, secondsOf), blocks(plain, secondsOf));
    if ((high ?? estimate) < 1) return [];
    return [
      `${kindOf(row)}: compression by ${row.way} does not pay, memory is there no sooner than as it is.`,
    ];
  });
}

/** Ours against each of QEMU's ways. */
function beside(rows: readonly Row[]): string[] {
  return rows.flatMap((row) =>
    row.peer
      ? []
      : rows
          .filter((one) => one.peer && kindOf(one) === kindOf(row))
          .map((peer) => {
            const wire = blockedRatio(
              blocks(row, ({ wireMb }) => wireMb),
              blocks(peer, ({ wireMb }) => wireMb),
            );
            const time = blockedRatio(blocks(row, secondsOf), blocks(peer, secondsOf));
            return `${kindOf(row)}: ${row.way} against ${peer.way}: ${withInterval(wire)} of the bytes, ${withInterval(time)} of the time`;
          }),
  );
}

function describeCodecs({ pages, line }: { pages: string; line: CodecsLine }): string {
  const table = new Table({
    head: ['at once', 'codec', 'level', 'ratio', 'pack MB/s', 'unpack MB/s', ''],
    style: { head: [], border: [], compact: true },
  });
  const rate = (ns: number) => number(line.bytes / 1e6 / (Math.max(1, ns) / 1e9), 3);
  for (const { piece, codec, level, packed, packNs, unpackNs, missing, exact } of line.columns) {
    const row = [`${piece >> 10}k`, codec, level || ''];
    if (packed === undefined) table.push([...row, '', '', '', missing ?? '']);
    else
      table.push([
        ...row,
        number(line.bytes / packed, 4),
        rate(packNs!),
        rate(unpackNs!),
        exact ? '' : 'NOT EXACT',
      ]);
  }
  const second = Object.entries(line.secondPass ?? {})
    .filter(([name]) => !['millionths', 'pages'].includes(name))
    .map(([name, bytes]) => `${name} ${number(bytes / 1e3, 4)} kB`);
  return [
    `${pages}, ${number(line.bytes / 2 ** 20)} MiB; rates are bytes of memory by CPU time`,
    String(table),
    ...(second.length > 0
      ? [
          wrap(
            `A second pass after ${line.secondPass!.millionths! / 1e4} % of the words were changed, in ${line.secondPass!.pages} pages: ${second.join(', ')} (xbzrle: QEMU's encoding of the same pages, calculated here).`,
            '',
          ),
        ]
      : []),
  ].join('\n');
}

withExamples(migrate, [
  ['migrate --rate 50,200 --peer qemu-multifd-zstd', 'what a slow link makes of it, beside QEMU'],
  ['migrate --dirty 1% --codec zstd', 'a second pass, after 1 % of memory has changed'],
  ['migrate --dirty-rate 2000 --rate 100 --codec auto', 'memory that is written to while it is moved'],
  ['migrate --codecs', 'ratio and rates of every codec'],
]);
