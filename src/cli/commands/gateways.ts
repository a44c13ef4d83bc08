/** `dispatchbench gateways`: which gateways there are, and which of them are here. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { Argument, Command } from '@commander-js/extra-typings';
import Table from 'cli-table3';
import { foundGateways } from '../../gateways/parts.js';
import { gatewayNamed } from '../../gateways/registry.js';
import { inCheckout, packageRoot } from '../../installation.js';
import { withExamples } from '../examples.js';

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

const engines = ['wasmtime', 'wasmedge', 'wazero', 'wazero-arm64'] as const;

const setup = new Command('setup')
  .description('build the gateways, and fetch engines with a command line, each tried with one request')
  .addArgument(new Argument('[engine...]', 'engines to fetch; none: only build').choices(engines))
  .action((chosen) => {
    // Compilers, and what they write beside their sources.
    if (!inCheckout)
      throw new Error('gateways are built in a checkout of dispatchbench, and this is an installed package');
    const script = resolve(packageRoot, 'scripts/gateways.mjs');
    // The programs first: the setup of engines builds modules alone.
    for (const args of [[], ...(chosen.length > 0 ? [['--setup', chosen.join(',')]] : [])]) {
      const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'inherit' });
      if (status !== 0) process.exitCode = 1;
    }
  });

export const gateways = new Command('gateways')
  .description('HTTP gateways: native, event-driven, in containers, on Node, with their logic in Wasm')
  .addCommand(list, { isDefault: true })
  .addCommand(setup);

withExamples(list, [
  ['gateways list', 'and how to get those that are missing'],
  ['gateways list --json', 'for a program'],
]);

withExamples(setup, [
  ['gateways setup', 'build the gateways of a checkout'],
  ['gateways setup wasmtime wazero', 'and fetch these engines'],
]);

withExamples(gateways, [
  ['gateways', 'every gateway, and whether it is here'],
  ['gateways setup', 'build what can be built'],
]);
