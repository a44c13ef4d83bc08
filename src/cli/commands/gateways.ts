/** `dispatchbench gateways`: which gateways there are, and which of them are here. */
import { Command } from '@commander-js/extra-typings';
import Table from 'cli-table3';
import { foundGateways } from '../../gateways/parts.js';
import { gatewayNamed } from '../../gateways/registry.js';

const list = new Command('list')
  .description('every gateway: what it is, and whether it is here or how to get it')
  .option('--json', 'print one JSON array instead of a table', false)
  .action(({ json }) => {
    const all = foundGateways().map((one) => ({ ...one, title: gatewayNamed(one.name)!.title }));
    if (json) {
      console.log(JSON.stringify(all, null, 2));
      return;
    }
    const table = new Table({
      head: ['gateway', 'what it is', 'here'],
      colWidths: [29, 36, 31],
      wordWrap: true,
      style: { head: [], border: [], compact: true },
    });
    for (const { name, title, command, reason } of all)
      table.push([name, title, command ? 'yes' : `no: ${reason}`]);
    console.log(`${table}\n\nMeasure them: dispatchbench run gateways --gateways LIST`);
  });

export const gateways = new Command('gateways')
  .summary('which HTTP gateways can be measured: native, in containers, with their logic in Wasm')
  .description('HTTP gateways: native, event-driven, in containers, on Node, with their logic in Wasm')
  .addCommand(list, { isDefault: true });
