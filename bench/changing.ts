/**
 * Transfers over a link whose rate changes: with as many streams as the planner takes by what it expects of the link, against every
 * fixed number, of which the best is known only in hindsight, and beside the number that adapts within one transfer. In each round
 * all of them see the same course of the link, another one in each round.
 *
 *     npm run bench:changing -- --course regime|periodic|volatile [--quick] [--rounds N] [--duration S] [--link WORDS]
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { linkCourse } from '../src/contract/link.js';
import { adaptive, mostAdaptive, planned } from '../src/contract/transfer.js';
import { openHost } from '../src/hosts/registry.js';
import { standings } from '../src/planner/prediction/contest.js';
import { chosen } from '../src/planner/prediction/methods.js';
import { predictionsInWords } from '../src/report/predictions.js';
import { blockedRatio, meanInterval } from '../src/statistics/interval.js';
import { randomFrom, shuffled } from '../src/statistics/random.js';
import { type BlocksMeasurement, blocks, blocksOnce } from '../src/trials/blocks.js';
import { saveRecord, shown, verdict } from './lib.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    course: { type: 'string', default: 'regime' },
    rounds: { type: 'string' },
    duration: { type: 'string' },
    link: { type: 'string', default: 'delay=20ms loss=0.5% rate=100mbit limit=400' },
  },
});
const course = linkCourse.parse(options.course);
const rounds = Number(options.rounds ?? (options.quick ? 2 : 5));
const durationMs = 1000 * Number(options.duration ?? (options.quick ? 2 : 10));
const blockMs = 1000;
const fixed = options.quick ? [1, 16] : [1, 16, 64];
/** The time of the planned one over that of the best fixed one is at most 1.05; here rates are divided. */
const bar = 1 / 1.05;

const settings = [...fixed, planned, adaptive] as const;
type Setting = (typeof settings)[number];
const roles = await openHost(`netns:${options.link}`).catch((error: Error) => {
  console.log(error.message);
  process.exit(0);
});
const stopped = new AbortController();
process.once('SIGINT', () => stopped.abort(new Error('interrupted')));
const found = new Map<Setting, BlocksMeasurement[]>(settings.map((setting) => [setting, []]));
try {
  const random = randomFrom('changing');
  for (let round = 1; round <= rounds; round++) {
    for (const setting of shuffled([...settings], random)) {
      process.stderr.write(`\rround ${round} of ${rounds}: ${setting} `.padEnd(60));
      const choice = typeof setting === 'number' ? null : setting;
      const measured = await blocksOnce(
        {
          kind: 'blocks',
          ...{ choice, course, blockMs, durationMs, seed: round },
          streams: typeof setting === 'number' ? setting : mostAdaptive,
          chunk: 64 << 10,
          congestion: 'cubic',
          backend: roles.server.look.nodeBackend,
        },
        { roles, signal: stopped.signal },
      );
      found.get(setting)!.push(measured);
    }
  }
} finally {
  process.stderr.write('\n');
  await roles.close();
}

type Id = (typeof blocks)['metrics'][number]['id'];
const figure = (setting: Setting, id: Id) =>
  found.get(setting)!.map((measured, block) => ({
    block,
    value: blocks.metrics.find((one) => one.id === id)!.of(measured, null!) ?? Number.NaN,
  }));
const mean = (setting: Setting, id: Id) =>
  figure(setting, id).reduce((sum, { value }) => sum + value, 0) / rounds;

const style = { head: [], border: [], compact: true };
const each = new Table({ head: ['streams', 'MB/s', 'streams, mean', 'resent/MB', 'CPU s/GB'], style });
for (const setting of settings)
  each.push([
    setting,
    shown(meanInterval(figure(setting, 'transfer-rate').map(({ value }) => value)), 2),
    mean(setting, 'block-streams').toFixed(1),
    mean(setting, 'transfer-resent').toFixed(2),
    mean(setting, 'transfer-cpu').toFixed(2),
  ]);

const ranked = [...fixed].sort((a, b) => mean(b, 'transfer-rate') - mean(a, 'transfer-rate'));
const [best, worst] = [ranked[0]!, ranked.at(-1)!];
const compared: { what: string; of: Setting; over: Setting; bar: number | null }[] = [
  { what: `${planned} over ${best}, the best fixed number in hindsight`, of: planned, over: best, bar },
  { what: `${planned} over ${worst}, the worst`, of: planned, over: worst, bar: 1 },
  { what: `${adaptive} over ${best}`, of: adaptive, over: best, bar: null },
];
const ratios = compared.map((one) => ({
  ...one,
  ratio: blockedRatio(figure(one.of, 'transfer-rate'), figure(one.over, 'transfer-rate')),
}));
const table = new Table({ head: ['rate', 'ratio', 'bar', ''], style });
for (const { what, ratio, bar: least } of ratios)
  table.push([
    what,
    shown(ratio),
    least === null ? '' : `>= ${least.toFixed(3)}`,
    verdict(ratio, least, 'least'),
  ]);

console.log(
  `Link '${options.link}', course ${course}, ${rounds} rounds of ${durationMs / 1000} s; blocks of ${blockMs / 1000} s, of ${adaptive} one of all; 95 % intervals\n${each}\n${table}`,
);
const judged = [...found.values()].flat().flatMap(({ predictors }) => (predictors ? [predictors] : []));
const { intervalMs } = found.get(planned)![0]!.recorded;
if (judged.length > 0)
  console.log(
    predictionsInWords({
      series: judged.length,
      intervalMs,
      standings: standings(judged),
      chosen: chosen.id,
    }).join(' '),
  );
console.log(
  saveRecord(
    'changing',
    {
      host: roles.server.facts,
      link: options.link,
      course,
      rounds,
      durationMs,
      blockMs,
      ratios,
      found: Object.fromEntries(found),
    },
    course,
  ),
);
