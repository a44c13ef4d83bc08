/** `dispatchbench report RUN`: rebuilds everything derived from a run's samples. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Command } from '@commander-js/extra-typings';
import { writePngs } from '../../report/png.js';
import { claimsJson } from '../../report/summary.js';
import { outcome } from '../../report/terminal.js';
import { writeReport } from '../../report/write.js';
import { findRun, readRun } from '../../results/find.js';
import { withExamples } from '../examples.js';

export const report = new Command('report')
  .argument('<run>', "folder of the run, its name under results/, or 'latest'")
  .option('--json', 'print verdicts and the path of the report as JSON')
  .option('--png', 'write every plot as PNG as well; its rasteriser is installed when first asked for')
  .option('--watch', 'follow a run in progress: rebuild after every trial until it is finished')
  .action(async (run, { json, png, watch }) => {
    const folder = findRun(run);
    if (watch) await follow(folder);
    const { analysis, report: path } = writeReport(folder);
    if (png) {
      const files = writePngs(folder, (line) => console.error(line));
      console.error(`${files.length} PNG files, beside the SVG files in ${folder}`);
    }
    if (json)
      console.log(JSON.stringify({ report: path, claims: JSON.parse(claimsJson(analysis)) }, null, 2));
    else console.log(`${outcome(analysis)}\n\nReport: ${path}`);
  });

/** How often a followed run is looked at, milliseconds: trials take seconds. */
const lookEvery = 1000;

/** Rebuilds whenever samples were added; returns when the run says it has finished. */
async function follow(folder: string): Promise<void> {
  let size = -1;
  for (;;) {
    const now = statSync(join(folder, 'samples.ndjson')).size;
    if (now !== size && now > 0) {
      size = now;
      const { analysis, report: path } = writeReport(folder);
      console.error(`${analysis.samples.length} samples: ${path}`);
    }
    if (now > 0 && (readRun(folder).info?.finishedAt ?? null) !== null) return;
    await wait(lookEvery);
  }
}

withExamples(report, [
  ['report latest', 'the newest run'],
  ['report results/my-run --png', 'every plot as PNG as well'],
]);
