/**
 * The load client: one load against one server, lines of src/contract/load.ts on stdout. With `--control` it sends
 * only after a line `go`, keeps its connections until a line `close`, and ends when its stdin does.
 */
import { Command, Option } from '@commander-js/extra-typings';
import { printLine, readControl } from '../src/control.js';
import { type LoadObserver, runLoad } from '../src/load/engine.js';
import { loadOptionsOf, withLoadOptions } from '../src/load/options.js';
import { wholeNumber } from '../src/options.js';
import { setAffinity } from '../src/process.js';
import { runProgram } from '../src/program.js';

/** A promise, and what fulfils it. */
function signal(): { given: Promise<void>; give(): void } {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give: () => give() };
}

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
    const told = { go: signal(), close: signal() };
    if (values.control) {
      readControl(
        (text) => (text === 'go' || text === 'close') && told[text].give(),
        () => process.exit(0),
      );
    }
    const observer: LoadObserver = {
      line(line) {
        printLine(line);
        if (!values.control || line.event === 'window-start') return;
        return line.event === 'connected' ? told.go.given : told.close.given;
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
