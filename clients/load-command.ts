/** The command line of one load, and what carries it out: of the client for one, and of that for one after another. */
import { Command, Option } from '@commander-js/extra-typings';
import { printLine } from '../src/control.js';
import { type LoadObserver, runLoad } from '../src/load/engine.js';
import { loadOptionsOf, withLoadOptions } from '../src/load/options.js';
import { duration, hostPort, wholeNumber } from '../src/options.js';
import type { Told } from './told.js';

export const loadCommand = () =>
  withLoadOptions(new Command('load'))
    .requiredOption('--target <host:port>', 'server to load', hostPort)
    .requiredOption('--connections <n>', 'connections, all opened before the load', wholeNumber(1, 1_000_000))
    .requiredOption('--duration <d>', 'measured window (10s, 500ms)', duration)
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
    .option('--control', 'stdin is the control channel');

type LoadCommandValues = ReturnType<ReturnType<typeof loadCommand>['opts']>;

/**
 * One load from its first connection to its result line.
 * @param told sends only after `go` and keeps its connections until `close`; null: at once
 * @throws Error in one sentence when connections cannot be opened
 */
export async function carryOut(values: LoadCommandValues, told: Told | null): Promise<void> {
  const observer: LoadObserver = {
    line(line) {
      printLine(line);
      if (!told || line.event === 'window-start') return;
      return line.event === 'connected' ? told.go : told.close;
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
}
