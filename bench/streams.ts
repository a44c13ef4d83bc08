/**
 * Bulk transfers beside iperf3 on the same host, link and congestion control, in shuffled rounds: rates, bytes per second of CPU
 * time, what 8 streams bring over 1, and the number of streams that is found against the best fixed one. Ours counts bytes and
 * sends one chunk again and again here, as iperf3 does.
 *
 *     npm run bench:streams [-- --quick] [-- --rounds N] [-- --duration S] [-- --host 'netns:delay=20ms loss=1% rate=100mbit']
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { congestionControls } from '../src/congestion.js';
import { adaptive, mostAdaptive, type TransferWay } from '../src/contract/transfer.js';
import { blockedRatio, type Interval } from '../src/statistics/interval.js';
import { randomFrom, shuffled } from '../src/statistics/random.js';
import {
  type TransferFigures,
  type TransferTrial,
  transferFigures,
  transferOnce,
} from '../src/trials/transfer.js';
import { hostOption, onCpus, roles, site } from './here.js';
import { saveRecord, shown, verdict } from './lib.js';

const { values: options } = parseArgs({
  options: {
    ...hostOption,
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    duration: { type: 'string' },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 2 : 10));
const durationMs = 1000 * Number(options.duration ?? (options.quick ? 1 : 3));

const [small, large] = [64 << 10, 1 << 20];
const loses = (roles.server.facts.link?.up.lossShare ?? 0) > 0;
const controls = (options.quick ? ['cubic'] : ['cubic', 'reno', 'bbr']).filter((name) =>
  congestionControls().includes(name),
);
const fixedNumbers = [1, 8, 32];

/** What is measured in every round, by name. */
const trials = new Map<string, TransferTrial>();

function ours(
  streams: number | typeof adaptive,
  congestion: string,
  chunk = small,
  way: TransferWay = 'copy',
): string {
  const name = [streams, way, chunk, congestion].join(' ');
  trials.set(name, {
    kind: 'transfer',
    streams: streams === adaptive ? mostAdaptive : streams,
    chunk,
    congestion,
    durationMs,
    by: {
      backend: roles.server.look.nodeBackend,
      way,
      adaptive: streams === adaptive,
      checked: false,
      memory: chunk,
    },
  });
  return name;
}

function theirs(streams: number, congestion: string, chunk = small): string {
  const name = `iperf3 ${streams} ${chunk} ${congestion}`;
  trials.set(name, { kind: 'transfer', streams, chunk, congestion, durationMs, by: 'iperf3' });
  return name;
}

const rate = ({ bytesPerSecond }: TransferFigures) => bytesPerSecond;
const perCpu = ({ bytes, cpuS: [sent, got] }: TransferFigures) => bytes / (sent + got);

interface Row {
  what: string;
  of: string;
  /** the best of them in hindsight */
  over: readonly string[];
  figure: (figures: TransferFigures) => number;
  bar: number | null;
}

const [control = 'reno'] = controls;
const rows: Row[] = [
  ...[1, 8].map((n) => ({
    what: `rate, ${n} streams, over iperf3`,
    of: ours(n, control),
    over: [theirs(n, control)],
    figure: rate,
    bar: 0.95,
  })),
  ...[1, 8].map((n) => ({
    what: `bytes per CPU second, ${n} streams, over iperf3`,
    of: ours(n, control),
    over: [theirs(n, control)],
    figure: perCpu,
    bar: null,
  })),
  ...(['sendfile', 'splice', 'zerocopy'] as const).map((way) => ({
    what: `bytes per CPU second, ${way}, 1 MiB, over iperf3`,
    of: ours(1, control, large, way),
    over: [theirs(1, control, large)],
    figure: perCpu,
    bar: way === 'zerocopy' ? 1.1 : null,
  })),
  ...controls.map((name) => ({
    what: `rate, 8 streams over 1, ${name}`,
    of: ours(8, name),
    over: [ours(1, name)],
    figure: rate,
    bar: loses && name !== 'bbr' ? 1.7 : null,
  })),
  ...controls.map((name) => ({
    what: `rate, ${adaptive}, over the best of ${fixedNumbers.join(', ')}, ${name}`,
    of: ours(adaptive, name),
    over: fixedNumbers.map((n) => ours(n, name)),
    figure: rate,
    bar: 0.95,
  })),
];

const found = new Map<string, TransferFigures[]>([...trials.keys()].map((name) => [name, []]));
const random = randomFrom('streams');
for (let round = 0; round < rounds; round++) {
  for (const name of shuffled([...trials.keys()], random)) {
    process.stderr.write(`\rround ${round + 1} of ${rounds}: ${name}`.padEnd(79));
    found.get(name)!.push(transferFigures(await transferOnce(trials.get(name)!, site)));
  }
}
process.stderr.write('\n');

const blocked = (name: string, figure: Row['figure']) =>
  found.get(name)!.map((figures, block) => ({ block, value: figure(figures) }));
const mean = (values: readonly { value: number }[]) =>
  values.reduce((sum, { value }) => sum + value, 0) / values.length;

const table = new Table({
  head: ['', 'ratio', 'bar', ''],
  style: { head: [], border: [], compact: true },
});
const record = rows.map(({ what, of, over, figure, bar }) => {
  const [best] = over.map((name) => blocked(name, figure)).sort((a, b) => mean(b) - mean(a));
  const own = blocked(of, figure);
  const ratio: Interval = blockedRatio(own, best!);
  table.push([what, shown(ratio), bar === null ? '' : `>= ${bar}`, verdict(ratio, bar, 'least')]);
  return { what, ratio, bar, mean: mean(own), meanOfOther: mean(best!) };
});
console.log(`${onCpus()}; ${rounds} rounds of ${durationMs / 1000} s; ${control} where none is named`);
console.log(table.toString());
const file = saveRecord('streams', {
  host: roles.server.facts,
  rounds,
  durationMs,
  rows: record,
  figures: Object.fromEntries(found),
});
console.log(`written: ${file}`);
await roles.close();
