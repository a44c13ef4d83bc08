import { Command, Option } from '@commander-js/extra-typings';
import Table from 'cli-table3';
import { checks, efforts, type Row } from '../../selftest/checks.js';

export const selftest = new Command('selftest')
  .description(
    'The suite measures its own error: known-answer servers (delay, stall, loss, slow accept), pacing, resolution, false alarms and an injected slowdown. Exits with 1 when the instrument is off.',
  )
  .option('--quick', 'about half a minute, with a coarser injected slowdown')
  .addOption(new Option('--only <check>', 'one of them').choices(checks.map(({ name }) => name)))
  .option('--json', 'the rows as one JSON object')
  .action(async ({ quick, only, json }) => {
    const effort = efforts[quick ? 'quick' : 'full'];
    const rows: Row[] = [];
    for (const check of checks.filter(({ name }) => only === undefined || name === only)) {
      if (!json) console.error(`${check.name} ...`);
      rows.push(...(await check.run(effort)));
    }
    const off = rows.filter(({ holds }) => !holds);
    if (json) {
      console.log(JSON.stringify({ rows, off: off.length }));
    } else {
      const table = new Table({
        head: ['', 'check', 'truth', 'reported', 'off by', 'limit'],
        colWidths: [6, 30, 15, 22, 11, 14],
        wordWrap: true,
        style: { head: [], border: [] },
      });
      for (const { check, truth, reported, deviation, limit, holds } of rows)
        table.push([holds ? 'ok' : 'OFF', check, truth, reported, deviation, limit]);
      console.log(table.toString());
      console.log(
        off.length === 0
          ? 'the instrument is right within its limits'
          : `${off.length} of ${rows.length} checks are off`,
      );
    }
    if (off.length > 0) process.exitCode = 1;
  });
