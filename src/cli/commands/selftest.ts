import { Command, Option } from '@commander-js/extra-typings';
import Table from 'cli-table3';
import { exitCode } from '../../exit-codes.js';
import { watchMachine } from '../../hosts/witness.js';
import { resolve } from '../../selftest/attempts.js';
import { efforts } from '../../selftest/check.js';
import { checks } from '../../selftest/checks.js';
import type { Outcome, Row } from '../../selftest/row.js';
import { withExamples } from '../examples.js';
import { hostOption, onHost } from '../on-host.js';

const mark: Record<Outcome, string> = { ok: 'ok', off: 'OFF', 'not resolved': '?' };
/** A failed check and an undecided one are told apart by whoever runs this in CI. */
const OFF = exitCode.failed;
const NOT_RESOLVED = exitCode.undecided;

export const selftest = new Command('selftest')
  .description(
    'The suite measures its own error: known-answer servers (delay, stall, loss, slow accept; datagrams lost, doubled, overtaken, delayed), pacing, resolution, two clients instead of one, false alarms and an injected slowdown.',
  )
  .option('--quick', 'one to two minutes instead of five to ten, with a coarser injected slowdown')
  .addOption(new Option('--only <check>', 'one of them').choices(checks.map(({ name }) => name)))
  .addOption(hostOption())
  .option('--json', 'the rows as one JSON object')
  .addHelpText(
    'after',
    '\nExit code 2: the instrument is off. 3: a check is not resolved, because the machine was busy or trials were too few.',
  )
  .action(({ host, quick, only, json }) =>
    onHost(host, async (site) => {
      const effort = efforts[quick ? 'quick' : 'full'];
      const rows: Row[] = [];
      for (const { name, once = false, run } of checks.filter(
        (one) => only === undefined || one.name === only,
      )) {
        if (!json) console.error(`${name} ...`);
        rows.push(...(await resolve(() => run(effort, site), once, watchMachine)));
      }
      tell(rows, json === true);
    }),
  );

function tell(rows: readonly Row[], json: boolean): void {
  const count = (outcome: Outcome) => rows.filter((row) => row.outcome === outcome).length;
  const [off, open] = [count('off'), count('not resolved')];
  if (json) {
    console.log(JSON.stringify({ rows, off, notResolved: open }));
  } else {
    const table = new Table({
      head: ['', 'check', 'truth', 'reported', 'off by', 'limit'],
      colWidths: [6, 30, 15, 22, 11, 14],
      wordWrap: true,
      style: { head: [], border: [] },
    });
    for (const { check, truth, reported, deviation, limit, outcome } of rows)
      table.push([mark[outcome], check, truth, reported, deviation, limit]);
    console.log(table.toString());
    for (const { check, outcome, note } of rows)
      if (note) console.log(`${mark[outcome]} ${check}: ${outcome === 'ok' ? 'held' : outcome} ${note}`);
    console.log(summary(rows.length, off, open));
  }
  if (off > 0) process.exitCode = OFF;
  else if (open > 0) process.exitCode = NOT_RESOLVED;
}

function summary(all: number, off: number, open: number): string {
  if (off + open === 0) return 'the instrument is right within its limits';
  const parts = [
    ...(off > 0 ? [`${off} of ${all} checks are off`] : []),
    ...(open > 0 ? [`${open} of ${all} are not resolved: repeat them on a quiet machine`] : []),
  ];
  return parts.join('; ');
}

withExamples(selftest, [
  ['selftest --quick', 'one to two minutes'],
  ['selftest --only pacing --json', 'one check, for a program'],
]);
