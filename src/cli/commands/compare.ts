/** `dispatchbench compare A B`: what changed between two runs, as far as it can be shown. */
import { Command, Option } from '@commander-js/extra-typings';
import { comparedMetrics, compareRuns } from '../../analysis/compare.js';
import { rowConditions } from '../../analysis/gate.js';
import { codeOf } from '../../exit-codes.js';
import { thresholdOptions } from '../../options.js';
import {
  type ComparisonFormat,
  comparisonFormats,
  formatComparison,
  gateOn,
  runsGateSentences,
} from '../../report/comparison.js';
import { analyseRun } from '../../report/write.js';
import { findRun } from '../../results/find.js';
import { withExamples } from '../examples.js';

const { threshold, old } = thresholdOptions(
  (text) => rowConditions(text, { known: comparedMetrics }),
  "'slower<3%', 'cpu-per-request<+5%', 'loss<+0.1%', 'unchanged'",
);

export const compare = withExamples(
  new Command('compare')
    .argument('<a>', "the older run: folder, name under results/, or 'latest'")
    .argument('<b>', 'the newer run')
    .addOption(threshold)
    .addOption(old)
    .addOption(
      new Option(
        '--metric <id...>',
        'compare these metrics only; a smaller family shows smaller differences',
      ).choices(comparedMetrics),
    )
    .addOption(
      new Option('--format <format>', 'form of the output').choices(comparisonFormats).default('terminal'),
    )
    .option('--json', 'the same as --format json'),
  [
    ['compare idle-connections-1 latest', 'two runs under results/'],
    [
      "compare results/old results/new --threshold 'slower<3%' --metric cpu-per-request",
      'exit code 2 where the newer one is slower, 3 where too few trials tell',
    ],
  ],
).action((a, b, { threshold: conditions, format, json, metric }) => {
  const comparison = compareRuns(analyseRun(findRun(a)), analyseRun(findRun(b)), metric);
  const gate = conditions ? gateOn(conditions, comparison.rows) : null;
  console.log(formatComparison(comparison, json ? 'json' : (format as ComparisonFormat), gate));
  if (!gate || gate.outcome === 'passed') return;
  for (const sentence of runsGateSentences(gate)) console.error(`dispatchbench: ${sentence}`);
  process.exitCode = codeOf[gate.outcome];
});
