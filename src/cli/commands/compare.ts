/** `dispatchbench compare A B`: what changed between two runs, as far as it can be shown. */
import { Command, Option } from '@commander-js/extra-typings';
import { comparedMetrics, compareRuns } from '../../analysis/compare.js';
import { gateOf } from '../../analysis/gate.js';
import { comparisonFormats, formatComparison, gateFor, runsGateSentence } from '../../report/comparison.js';
import { analyseRun } from '../../report/write.js';
import { findRun } from '../../results/find.js';

export const compare = new Command('compare')
  .argument('<a>', "the older run: folder, name under results/, or 'latest'")
  .argument('<b>', 'the newer run')
  .option(
    '--fail-if <condition>',
    'exit with 2 when it holds anywhere, 3 when the trials cannot tell: slower>3%, faster>3%, loss>0.1% or different',
  )
  .addOption(
    new Option(
      '--metric <id...>',
      'compare these metrics only; a smaller family shows smaller differences',
    ).choices(comparedMetrics),
  )
  .addOption(
    new Option('--format <format>', 'form of the output').choices(comparisonFormats).default('terminal'),
  )
  .action((a, b, { failIf, format, metric }) => {
    const rule = failIf === undefined ? null : gateOf(failIf);
    const comparison = compareRuns(analyseRun(findRun(a)), analyseRun(findRun(b)), metric);
    const gate = rule && gateFor(failIf!, rule, comparison.rows);
    console.log(formatComparison(comparison, format as (typeof comparisonFormats)[number], gate));
    if (!gate || gate.summary.outcome === 'passed') return;
    console.error(`dispatchbench: ${runsGateSentence(gate)}`);
    process.exitCode = gate.summary.outcome === 'failed' ? 2 : 3;
  });
