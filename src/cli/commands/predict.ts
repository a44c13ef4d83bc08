/** `dispatchbench predict`: the cost of a request in a cell that a run did not measure, by its scan model. */
import { Command } from '@commander-js/extra-typings';
import { cellsOf } from '../../analysis/cells.js';
import { scanModelsOf } from '../../analysis/scan.js';
import { wholeNumber } from '../../options.js';
import { withInterval } from '../../report/format.js';
import { findRun, readRun } from '../../results/find.js';
import { meanInterval } from '../../statistics/interval.js';
import { scanCost } from '../../statistics/scan-cost.js';
import { withExamples } from '../examples.js';

/** Times the most descriptors measured that a line is followed: caches beyond it are unknown. */
const furthest = 4;

export const predict = new Command('predict')
  .requiredOption('--backend <name>', 'mechanism')
  .requiredOption('--idle <n>', 'idle connections', wholeNumber(0, 100_000_000))
  .requiredOption('--active <n>', 'active connections', wholeNumber(1, 10_000_000))
  .option('--run <run>', "folder of the run, its name under results/, or 'latest'", 'latest')
  .option('--json', 'print the predictions as JSON')
  .action(({ backend, idle, active, run, json }) => {
    const predictions = [];
    const { parsed } = readRun(findRun(run));
    const models = scanModelsOf(cellsOf(parsed.samples)).filter(
      ({ series }) => series.levels.backend === backend,
    );
    if (models.length === 0)
      throw new Error(
        `run '${run}' has no idle sweep of ${backend} with three counts and counters of its waits`,
      );
    for (const { series, model } of models) {
      const registered = idle + active;
      if (registered > furthest * model.largest) {
        throw new Error(
          `${registered} descriptors are more than ${furthest} times the ${model.largest} that the run measured: too far to say`,
        );
      }
      const at = (waits: number) =>
        meanInterval(
          model.blocks.map((cost) => scanCost(cost, registered, waits)),
          'linear',
        );
      const shown = (waits: number) => withInterval(at(waits), 'µs a request');
      const worst = model.leftOut.reduce((most, { error }) => Math.max(most, error), 0);
      predictions.push({
        server: series.label,
        ...{ idle, active, unit: 'µs', oneEventAWait: at(1), allInOneWait: at(1 / active) },
        largestError: worst,
        timesBeyondMeasured: registered / model.largest,
      });
      if (json) continue;
      console.log(`${series.label}, ${idle} idle and ${active} active:
  one event a wait (a quiet server): ${shown(1)}
  all active in one wait (a busy one): ${shown(1 / active)}
  a number of connections left out of the fit is missed by up to ${(100 * worst).toFixed(0)} %${registered > model.largest ? `; this one lies ${(registered / model.largest).toFixed(1)} times beyond the measured` : ''}`);
    }
    if (json) console.log(JSON.stringify(predictions, null, 2));
  });

withExamples(predict, [
  ['predict --backend poll --idle 20000 --active 100', 'by the newest run'],
  [
    'predict --backend select --idle 900 --active 10 --run results/my-run --json',
    'by a run of your choice, for a program',
  ],
]);
