/** Verdicts while a run goes on: after each block, from the samples that lie in its folder. */
import { cellsOf } from '../analysis/cells.js';
import { verdicts } from '../analysis/verdicts.js';
import type { RunEvent } from '../contract/run.js';
import { readRun } from '../results/find.js';
import type { Sample } from '../trials/sample.js';

/** None where no trial succeeded yet: whether that is a fault, the end of the run says. */
function samplesOf(folder: string): Sample[] {
  try {
    return readRun(folder).parsed.samples;
  } catch {
    return [];
  }
}

/** Between two blocks nothing is measured, so that this costs no trial anything. */
export function withVerdicts(show: (event: RunEvent) => void): (event: RunEvent) => void {
  let folder: string | null = null;
  return (event) => {
    show(event);
    if (event.event === 'run-start') folder = event.folder;
    if (event.event !== 'block-end' || folder === null) return;
    const found = verdicts(cellsOf(samplesOf(folder))).map(({ claim, verdict }) => ({
      claim: claim.id,
      verdict,
    }));
    show({ event: 'verdicts', block: event.block, verdicts: found });
  };
}
