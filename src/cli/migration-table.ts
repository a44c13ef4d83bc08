/** What `dispatchbench migrate` prints. */
import Table from 'cli-table3';
import type { CodecsLine } from '../contract/migrate.js';
import { number } from '../number.js';
import { withInterval, wrap } from '../report/format.js';
import { blockedRatio, meanInterval } from '../statistics/interval.js';
import { type Figures, figures, type Row, sum } from './migration.js';

/** Nobody can tell of memory that was never still. */
const exactness = (measured: readonly Figures[]) =>
  measured.some(({ exact }) => exact === false) ? 'NO' : measured.every(({ exact }) => exact) ? 'yes' : '';

const rateWords = (rate: number) => (rate === 0 ? 'none' : `${rate}`);

export function describe(rows: readonly Row[]): string {
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
      exactness(measured),
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
            const share = (of: (one: Figures) => number) =>
              withInterval(blockedRatio(blocks(row, of), blocks(peer, of)));
            const paused = [row, peer].every(({ measured }) =>
              measured.every((one) => figures(one).downMs !== null),
            );
            return [
              `${kindOf(row)}: ${row.way} against ${peer.way}: ${share(({ wireMb }) => wireMb)} of the bytes`,
              `${share(secondsOf)} of the time`,
              ...(paused ? [`${share(({ downMs }) => downMs!)} of the downtime`] : []),
            ].join(', ');
          }),
  );
}

export function describeCodecs({ pages, line }: { pages: string; line: CodecsLine }): string {
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
  return [
    `${pages}, ${number(line.bytes / 2 ** 20)} MiB; rates are bytes of memory by CPU time`,
    String(table),
    ...(line.secondPass ? [describeSecond(line.secondPass)] : []),
  ].join('\n');
}

function describeSecond({ millionths, pages, xbzrle, ways }: NonNullable<CodecsLine['secondPass']>): string {
  const table = new Table({
    head: ['way', 'level', 'kB', 'over xbzrle', 'make, ms', 'take, ms', ''],
    style: { head: [], border: [], compact: true },
  });
  const share = (bytes: number) => number(bytes / xbzrle, 3);
  for (const { codec, level, wire, makeNs, takeNs, exact } of ways)
    table.push([
      ...[codec, level || '', number(wire / 1e3, 4), share(wire)],
      ...[number(makeNs / 1e6, 3), number(takeNs / 1e6, 3), exact ? '' : 'NOT EXACT'],
    ]);
  table.push(['xbzrle', '', number(xbzrle / 1e3, 4), share(xbzrle), '', '', 'encoding alone, calculated']);
  return [
    wrap(
      `A second pass after ${millionths / 1e4} % of the words were changed, in ${pages} pages. zstd-prefix: by what the pages were before, the others by the difference; CPU time of all that makes and takes frames.`,
      '',
    ),
    String(table),
  ].join('\n');
}
