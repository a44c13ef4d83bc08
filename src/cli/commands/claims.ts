/** `dispatchbench claims RUN`: verdicts on every published claim. */
import { Command } from '@commander-js/extra-typings';
import { claimsJson } from '../../report/summary.js';
import { claimsTable } from '../../report/terminal.js';
import { analyseRun } from '../../report/write.js';
import { findRun } from '../../results/find.js';
import { withExamples } from '../examples.js';

export const claims = new Command('claims')
  .argument('<run>', "folder of the run, its name under results/, or 'latest'")
  .option('--json', 'print the verdicts as JSON')
  .action((run, { json }) => {
    const analysis = analyseRun(findRun(run));
    console.log(json ? claimsJson(analysis).trimEnd() : claimsTable(analysis, true));
  });

withExamples(claims, [
  ['claims latest', 'of the newest run'],
  ['claims results/my-run --json', 'for a program'],
]);
