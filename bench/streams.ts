/**
 * Bulk transfers beside iperf3 on the same host, link and congestion control, in shuffled rounds: rates, bytes per second of CPU
 * time, what is won without a copy, what 8 streams bring over 1, and the number of streams that is found against the best fixed
 * one. Ours counts bytes and sends one chunk again and again here, as iperf3 does.
 *
 *     npm run bench:streams [-- --quick] [-- --rows peer,copies,gain,adaptive] [-- --congestion cubic,reno,bbr] [-- --rounds N]
 *                           [-- --duration S] [-- --host 'netns:delay=20ms loss=1% rate=100mbit']
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { congestionControls } from '../src/congestion.js';
import { adaptive, mostAdaptive, type TransferPeer, type TransferWay } from '../src/contract/transfer.js';
import { number } from '../src/number.js';
import { type Blocked, blockedRatio, type Interval } from '../src/statistics/interval.js';
import { randomFrom, shuffled } from '../src/statistics/random.js';
import {
  type TransferFigures,
  type TransferMeasurement,
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
    rows: { type: 'string', default: '' },
    congestion: { type: 'string' },
    rounds: { type: 'string' },
    duration: { type: 'string' },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 2 : 10));
const durationMs = 1000 * Number(options.duration ?? (options.quick ? 1 : 3));
/** What is looked for takes its time, which is in the rate: a transfer has to be long against it. */
const adaptiveMs = Math.max(durationMs, options.quick ? 0 : 10_000);

const [small, large] = [64 << 10, 1 << 20];
const loses = (roles.server.facts.link?.up.lossShare ?? 0) > 0;
const controls = (options.congestion ?? (options.quick ? 'cubic' : 'cubic,reno,bbr'))
  .split(',')
  .filter((name) => congestionControls().includes(name));
const [control = 'reno'] = controls;
const fixedNumbers = [1, 8, 32];

/** What is measured in every round, by name. */
const trials = new Map<string, TransferTrial>();

interface Asked {
  streams: number | typeof adaptive;
  congestion?: string;
  chunk?: number;
  way?: TransferWay | TransferPeer;
  ms?: number;
}

/** @returns the name of the trial, which is the same for the same one. */
function trialOf({ streams, congestion = control, chunk = small, way = 'copy', ms = durationMs }: Asked) {
  const name = `${way}, ${streams} streams, ${chunk >> 10} KiB, ${congestion}, ${ms / 1000} s`;
  const by: TransferTrial['by'] =
    way === 'iperf3' || way === 'iperf3-Z'
      ? way
      : {
          ...{ backend: roles.server.look.nodeBackend, way, adaptive: streams === adaptive },
          ...{ checked: false, memory: chunk },
        };
  const standing = streams === adaptive ? mostAdaptive : streams;
  trials.set(name, { kind: 'transfer', streams: standing, chunk, congestion, durationMs: ms, by });
  return name;
}

const rate = ({ bytesPerSecond }: TransferFigures) => bytesPerSecond;
const perCpu = ({ bytes, cpuS: [sent, got] }: TransferFigures) => bytes / (sent + got);

interface Row {
  /** what is asked, with the name of the best in hindsight of several in the place of {} */
  what: string;
  of: readonly string[];
  over: readonly string[];
  figure: (figures: TransferFigures) => number;
  bar: number | null;
}

/** Without a copy at the sender: nobody has to tell when such pages are free again, so no kernel copies them after all. */
const fromFile: readonly TransferWay[] = ['sendfile', 'splice'];
const atLarge = (way: TransferWay | TransferPeer) => trialOf({ streams: 1, chunk: large, way });
const rival = (what: string, of: readonly string[], over: string, bar: number | null): Row => ({
  ...{ what: `bytes per CPU second, ${what}, 1 MiB`, of, over: [over], figure: perCpu, bar },
});

const questions = {
  peer: () =>
    [1, 8].flatMap((streams): Row[] => {
      const pair = { of: [trialOf({ streams })], over: [trialOf({ streams, way: 'iperf3' })] };
      return [
        { what: `rate, ${streams} streams, over iperf3`, ...pair, figure: rate, bar: 0.95 },
        { what: `bytes per CPU second, ${streams} streams, over iperf3`, ...pair, figure: perCpu, bar: null },
      ];
    }),
  copies: () => [
    rival('{} over iperf3', fromFile.map(atLarge), atLarge('iperf3'), 1.1),
    rival('{} over iperf3 -Z', fromFile.map(atLarge), atLarge('iperf3-Z'), null),
    rival('zerocopy over iperf3', [atLarge('zerocopy')], atLarge('iperf3'), 1.1),
    rival('copy over iperf3', [atLarge('copy')], atLarge('iperf3'), null),
  ],
  gain: () =>
    controls.map(
      (congestion): Row => ({
        what: `rate, 8 streams over 1, ${congestion}`,
        of: [trialOf({ streams: 8, congestion })],
        over: [trialOf({ streams: 1, congestion })],
        figure: rate,
        bar: loses && congestion !== 'bbr' ? 1.7 : null,
      }),
    ),
  adaptive: () =>
    controls.map((congestion): Row => {
      const long = (streams: number | typeof adaptive) => trialOf({ streams, congestion, ms: adaptiveMs });
      return {
        what: `rate, ${adaptive}, over the best of ${fixedNumbers.join(', ')}, ${congestion}`,
        of: [long(adaptive)],
        over: fixedNumbers.map(long),
        figure: rate,
        bar: 0.95,
      };
    }),
};
const asked = options.rows === '' ? Object.keys(questions) : options.rows.split(',');
const rows = Object.entries(questions).flatMap(([name, rowsOf]) => (asked.includes(name) ? rowsOf() : []));
if (rows.length === 0) throw new Error(`--rows takes some of ${Object.keys(questions).join(', ')}`);

const found = new Map<string, TransferMeasurement[]>([...trials.keys()].map((name) => [name, []]));
const random = randomFrom('streams');
for (let round = 0; round < rounds; round++) {
  for (const name of shuffled([...trials.keys()], random)) {
    process.stderr.write(`\rround ${round + 1} of ${rounds}: ${name}`.padEnd(79));
    found.get(name)!.push(await transferOnce(trials.get(name)!, site));
  }
}
process.stderr.write('\n');

const mean = (values: readonly Blocked[]) =>
  values.reduce((sum, { value }) => sum + value, 0) / values.length;

/** The one of `names` with the highest mean, and its figures. */
function bestOf(names: readonly string[], figure: Row['figure']) {
  const each = names.map((name) => ({
    name,
    values: found.get(name)!.map((one, block): Blocked => ({ block, value: figure(transferFigures(one)) })),
  }));
  return each.sort((a, b) => mean(b.values) - mean(a.values))[0]!;
}

/** Of sends that were to be none, the share that the kernel copied; null where nothing of the kind was asked for. */
function copiedShare(name: string): number | null {
  const told = found.get(name)!.flatMap(({ ours }) => ours?.sender.zeroCopy ?? []);
  const sum = (of: (one: (typeof told)[number]) => number) => told.reduce((all, one) => all + of(one), 0);
  return told.length === 0 ? null : sum(({ copied }) => copied) / sum(({ completed }) => completed);
}

const table = new Table({
  head: ['', 'ratio', 'bar', ''],
  style: { head: [], border: [], compact: true },
});
const record = rows.map(({ what, of, over, figure, bar }) => {
  const [own, best] = [bestOf(of, figure), bestOf(over, figure)];
  const ratio: Interval = blockedRatio(own.values, best.values);
  const copied = copiedShare(own.name);
  // A way that was not gone has met no bar, and missed none.
  const judged = copied
    ? `the kernel copied ${number(100 * copied, 3)} % of them`
    : verdict(ratio, bar, 'least');
  const named = what.replace('{}', own.name.split(',')[0]!);
  table.push([named, shown(ratio), bar === null ? '' : `>= ${bar}`, judged]);
  return {
    what: named,
    ratio,
    bar,
    copied,
    mean: mean(own.values),
    best: best.name,
    meanOfOther: mean(best.values),
  };
});
console.log(`${onCpus()}; ${rounds} rounds of ${durationMs / 1000} s; ${control} where none is named`);
console.log(table.toString());
const figures = [...found].map(([name, all]) => [name, all.map(transferFigures)] as const);
const file = saveRecord(
  'streams',
  {
    host: roles.server.facts,
    rounds,
    durationMs,
    adaptiveMs,
    rows: record,
    figures: Object.fromEntries(figures),
  },
  options.rows,
);
console.log(`written: ${file}`);
await roles.close();
