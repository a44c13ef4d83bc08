/** `dispatchbench hosts`: the kinds of hosts, and which of them there can be here. */
import { Command } from '@commander-js/extra-typings';
import { hostKinds } from '../../hosts/registry.js';

export const hosts = new Command('hosts')
  .description('list the kinds of hosts that --host takes: available here, or why not and what to do')
  .option('--json', 'print one JSON array instead')
  .action(async ({ json }) => {
    const rows = [];
    for (const { id, summary, unavailable } of hostKinds)
      rows.push({ id, summary, unavailable: await unavailable() });
    if (json) return console.log(JSON.stringify(rows, null, 2));
    for (const row of rows) {
      const state = row.unavailable === null ? 'available' : `not available here: ${row.unavailable}`;
      console.log(`${row.id}\n  ${row.summary}\n  ${state}`);
    }
  });
