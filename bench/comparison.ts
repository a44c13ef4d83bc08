/**
 * Does `compare` call identical cells different, and does it find a small slowdown? Three answers, all through the same
 * comparison that the command makes (bars: at most 5 % false alarms; a slowdown of 3 % found in at least 90 % of cases):
 *
 * - resampled: one cell measured many times in one run; two disjoint groups drawn from its trials, again and again.
 *   As many trials as the full profile takes, so that the answer is about that profile.
 * - slowed: the same, with every cost of the second group raised by 3 %.
 * - live: new runs of twice as many trials; neighbouring trials go to A and B by lot, as a randomised block would order
 *   two builds. Beside it, told and not judged: the first half of each run against its second, which is what comparing
 *   two runs made one after the other meets of the machine's drift.
 *
 *     npm run bench:comparison [-- --quick] [-- --recorded RUN] [-- --live N]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { analyse } from '../src/analysis/analyse.js';
import { compareRuns, ratioMetrics } from '../src/analysis/compare.js';
import { readRun } from '../src/results/find.js';
import { pace } from '../src/run/plan.js';
import { type Random, randomFrom, shuffled } from '../src/statistics/random.js';
import { type MetricId, metric } from '../src/trials/registry.js';
import type { Sample } from '../src/trials/sample.js';
import { saveRecord } from './lib.js';
import { slowed } from './slowed.js';
import { runSmall } from './small-run.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    recorded: { type: 'string' },
    live: { type: 'string' },
  },
});
const { quick } = options;
/** more than are drawn: a gate may leave some out */
const trialsRecorded = quick ? 32 : 120;
const liveRuns = Number(options.live ?? (quick ? 1 : 20));
const resampled = { alike: quick ? 20 : 200, slower: quick ? 5 : 50 };
/** trials on either side: what the full profile takes of every cell at least */
const trials = pace.full.blocks.min;
const slowdown = 1.03;

const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-comparison-'));
const random = randomFrom('comparison');

/** One cell, measured again and again in fresh processes. @returns its valid trials in the order they were made */
function measure(blocks: number, name: string): Sample[] {
  const settings = {
    ...{ backends: ['epoll'], impls: ['native'], idle: [0] },
    closed: { warmupMs: 100, durationMs: 400 },
    open: { rate: 2000, warmupMs: 50, durationMs: 300 },
  };
  return usable(runSmall(folder, { name, experiment: 'idle-connections', settings, blocks }));
}

/** Of the quick form, whose figures mean nothing, also trials that a busy machine made invalid. */
const usable = (run: string): Sample[] =>
  readRun(run).parsed.samples.flatMap((sample) =>
    sample.status === 'ok' || (quick && sample.status === 'invalid')
      ? [{ ...sample, status: 'ok' as const }]
      : [],
  );

/** What one comparison found: the metrics it calls different, and those it calls worse. */
function compared(a: Sample[], b: Sample[], metrics?: readonly MetricId[]) {
  const seen = (samples: Sample[]) => analyse(null, { samples, refused: [], notices: [] });
  const { rows } = compareRuns(seen(a), seen(b), metrics);
  const named = (change: string) =>
    rows.filter((row) => row.change === change).map(({ metric }) => metric.id);
  return { different: rows.some(({ change }) => change !== '~'), worse: named('worse') };
}

/** Neighbouring trials to A and B, by lot in every pair. */
function interleaved(samples: readonly Sample[], by: Random): [Sample[], Sample[]] {
  const sides: [Sample[], Sample[]] = [[], []];
  for (let pair = 0; pair + 1 < samples.length; pair += 2) {
    const first = by() < 0.5 ? 0 : 1;
    sides[first].push(samples[pair]!);
    sides[1 - first]!.push(samples[pair + 1]!);
  }
  return sides;
}

const share = (count: number, of: number) => `${count} of ${of} (${((100 * count) / of).toFixed(1)} %)`;

try {
  const recorded = options.recorded ? usable(options.recorded) : measure(trialsRecorded, 'recorded');
  if (recorded.length < 2 * trials)
    throw new Error(`${recorded.length} usable trials: ${2 * trials} are needed`);
  const drawTwo = (): [Sample[], Sample[]] => {
    const drawn = shuffled(recorded, random);
    return [drawn.slice(0, trials), drawn.slice(trials, 2 * trials)];
  };

  let alarms = 0;
  for (let i = 0; i < resampled.alike; i++) if (compared(...drawTwo()).different) alarms++;
  console.log(
    `resampled from ${recorded.length} trials, ${trials} a side: called different ${share(alarms, resampled.alike)}  bar 5 %`,
  );

  const found = Object.fromEntries(ratioMetrics.map((id) => [id, { whole: 0, alone: 0 }]));
  for (let i = 0; i < resampled.slower; i++) {
    const [a, b] = drawTwo();
    const worse = b.map((sample) => slowed(sample, slowdown));
    for (const id of compared(a, worse, ratioMetrics).worse) found[id]!.whole++;
    for (const id of ratioMetrics) if (compared(a, worse, [id]).worse.length > 0) found[id]!.alone++;
  }
  for (const [id, { whole, alone }] of Object.entries(found)) {
    console.log(
      `3 % slower, ${id.padEnd(20)} found ${share(whole, resampled.slower)} among all metrics, ` +
        `${share(alone, resampled.slower)} with --metric ${id}  bar 90 %`,
    );
  }

  const live = { alternating: 0, halves: 0, runs: 0 };
  for (let run = 0; run < liveRuns; run++) {
    const samples = measure(2 * trials, `live-${run}`);
    live.runs++;
    if (compared(...interleaved(samples, random)).different) live.alternating++;
    const half = Math.floor(samples.length / 2);
    if (compared(samples.slice(0, half), samples.slice(half)).different) live.halves++;
    process.stderr.write(`\r\u001b[Klive: ${live.runs} of ${liveRuns} runs`);
  }
  process.stderr.write('\r\u001b[K');
  console.log(`live, alternating: called different ${share(live.alternating, live.runs)}  bar 5 %`);
  console.log(
    `live, first half against second (drift of the machine included): ${share(live.halves, live.runs)}`,
  );
  const values = Object.fromEntries(ratioMetrics.map((id) => [id, recorded.map(metric(id).of)]));
  const { host } = recorded[0]!;
  const record = { trials, slowdown, alarms, resampled, found, live, host, values };
  console.log(`saved in ${saveRecord('comparison', record)}`);
} finally {
  rmSync(folder, { recursive: true });
}
