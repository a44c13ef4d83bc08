/**
 * The load client: one load against one server, lines of src/contract/load.ts on stdout. With `--control` it sends
 * only after a line `go`, and ends when its stdin does.
 */
import { Command, Option } from '@commander-js/extra-typings';
import { printLine, readControl } from '../src/control.js';
import { runLoad } from '../src/load/engine.js';
import { loadOptionsOf, withLoadOptions } from '../src/load/options.js';
import { setAffinity } from '../src/process.js';
import { runProgram } from '../src/program.js';

const program = withLoadOptions(new Command('load'))
  .addOption(
    new Option('--protocol <protocol>', 'what to speak')
      .choices(['tcp-echo', 'http'] as const)
      .makeOptionMandatory(),
  )
  .option('--control', 'stdin is the control channel')
  .action(async (values) => {
    const options = loadOptionsOf(values.protocol, values);
    if (values.cpu) setAffinity(values.cpu);
    let go: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      go = resolve;
    });
    if (values.control) {
      readControl(
        (text) => text === 'go' && go(),
        () => process.exit(0),
      );
    }
    const result = await runLoad(options, {
      line(line) {
        printLine(line);
        return values.control && line.event === 'connected' ? gone : undefined;
      },
    });
    printLine(result);
    process.exit(0);
  });

await runProgram('load', () => program.parseAsync());
