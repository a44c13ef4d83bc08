/** `dispatchbench compare A B`: what changed between two runs, as far as it can be shown. */
import { Command, Option } from '@commander-js/extra-typings';
import { comparedMetrics, compareRuns, failureRule } from '../../analysis/compare.js';
import { comparisonFormats, formatComparison } from '../../report/comparison.js';
import { analyseRun } from '../../report/write.js';
import { findRun } from '../../results/find.js';

export const compare = new Command('compare')
  .description('compare two runs cell by cell: shift with interval, effect size, ~ where nothing is shown')
  .argument('<a>', "the older run: folder, name under results/, or 'latest'")
  .argument('<b>', 'the newer run')
  .option(
    '--fail-if <condition>',
    'exit with code 2 when it holds anywhere: slower>3%, faster>3%, loss>0.1% or different',
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
    const fails = failIf ? failureRule(failIf) : () => false;
    const comparison = compareRuns(analyseRun(findRun(a)), analyseRun(findRun(b)), metric);
    console.log(formatComparison(comparison, format as (typeof comparisonFormats)[number], fails));
    const broken = comparison.rows.filter(fails).length;
    if (broken === 0) return;
    console.error(`dispatchbench: '${failIf}' holds in ${broken} of ${comparison.rows.length} comparisons`);
    process.exitCode = 2;
  });
