/** `dispatchbench report RUN`: rebuilds everything derived from a run's samples. */
import { Command } from '@commander-js/extra-typings';
import { claimsJson } from '../../report/summary.js';
import { outcome } from '../../report/terminal.js';
import { findRun, writeReport } from '../../report/write.js';

export const report = new Command('report')
  .description('rebuild report.html, tables, plots and verdicts of a run from its samples')
  .argument('<run>', "folder of the run, its name under results/, or 'latest'")
  .option('--json', 'print verdicts and the path of the report as JSON')
  .action((run, { json }) => {
    const { analysis, report: path } = writeReport(findRun(run));
    if (json)
      console.log(JSON.stringify({ report: path, claims: JSON.parse(claimsJson(analysis)) }, null, 2));
    else console.log(`${outcome(analysis)}\n\nReport: ${path}`);
  });
