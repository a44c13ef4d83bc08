/**
 * The load client: one load against one server, lines of src/contract/load.ts on stdout. With `--control` it sends
 * only after a line `go`, and ends when its stdin does.
 */
import { Command, Option } from '@commander-js/extra-typings';
import { printLine, readControl } from '../src/control.js';
import { type LoadObserver, runLoad } from '../src/load/engine.js';
import { loadOptionsOf, withLoadOptions } from '../src/load/options.js';
import { wholeNumber } from '../src/options.js';
import { setAffinity } from '../src/process.js';
import { runProgram } from '../src/program.js';

const program = withLoadOptions(new Command('load'))
  .addOption(
    new Option('--protocol <protocol>', 'what to speak')
      .choices(['tcp-echo', 'http', 'udp-echo'] as const)
      .makeOptionMandatory(),
  )
  .option('--ports <n>', 'udp-echo: consecutive ports from the target on', wholeNumber(1, 65_535), 1)
  .addOption(
    new Option('--port-order <order>', 'udp-echo: which port is next')
      .choices(['random', 'round-robin', 'zipf'] as const)
      .default('round-robin' as const),
  )
  .option('--control', 'stdin is the control channel')
  .action(async (values) => {
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
    const observer: LoadObserver = {
      line(line) {
        printLine(line);
        return values.control && line.event === 'connected' ? gone : undefined;
      },
    };
    const { protocol, ports, portOrder } = values;
    if (protocol === 'udp-echo') {
      // Loaded when needed: a client starts for every window of every trial.
      const { runDatagramLoad } = await import('../src/dgram-benchmark/load.js');
      printLine(await runDatagramLoad({ ...loadOptionsOf('tcp-echo', values), ports, portOrder }, observer));
    } else {
      printLine(await runLoad(loadOptionsOf(protocol, values), observer));
    }
    process.exit(0);
  });

await runProgram('load', () => program.parseAsync());
