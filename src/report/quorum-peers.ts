/** Other people's groups of replicas in a run: what they are, and what they were told beside their defaults. */
import type { ExperimentAnalysis } from '../analysis/analyse.js';
import { type Html, html, table } from './html.js';
import { implementationName } from './words.js';

/** Empty where all groups are ours. */
export function quorumPeerSection({ cells }: ExperimentAnalysis): Html | string {
  const rows = new Map<string, string[]>();
  for (const { cell } of cells)
    for (const { measurements } of cell.trials) {
      const { quorum } = measurements;
      if (quorum?.kind !== 'quorum' || quorum.peer === null) continue;
      const { version, told, untold } = quorum.peer;
      const row = [implementationName(cell.levels), version, told.join(', ') || 'nothing', untold.join('; ')];
      rows.set(row.join('\n'), row);
    }
  if (rows.size === 0) return '';
  return html`<div class="panel"><h3>Other people's groups</h3>${table(
    'Other groups, and what they were told',
    [
      { name: 'Group' },
      { name: 'Version' },
      { name: 'Told beside its defaults' },
      { name: 'Could not be told' },
    ],
    [...rows.values()].sort(),
  )}</div>`;
}
