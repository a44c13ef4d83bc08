/** Predictors of a link's bandwidth on what a run recorded of its links, for a terminal or a program. */
import Table from 'cli-table3';
import { predictionsOf } from '../analysis/predictions.js';
import { number } from '../number.js';
import { predictionsInWords } from '../report/predictions.js';
import { findRun, readRun } from '../results/find.js';

/** @throws Error in one sentence when there is no such run, or it recorded none */
export function predictorsOf(run: string, json: boolean): string {
  const predictions = predictionsOf(readRun(findRun(run)).parsed.samples);
  if (!predictions)
    throw new Error(
      `run '${run}' has no series of a link that predictors could be judged on: run changing-link records them, in trials of 24 s or more`,
    );
  if (json) return JSON.stringify(predictions);
  const table = new Table({
    head: ['predictor', 'off by, %', 'CPU of a value, µs', '% of a CPU'],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, error, cpuUs } of predictions.standings)
    table.push([
      name,
      number(100 * error, 3),
      number(cpuUs, 2),
      number(cpuUs / (10 * predictions.intervalMs), 2),
    ]);
  return [String(table), ...predictionsInWords(predictions)].join('\n');
}
