/**
 * The load client: one load against one server, lines of src/contract/load.ts on stdout. With `--control` it sends
 * only after a line `go`, keeps its connections until a line `close`, and ends when its stdin does.
 */
import { readControl } from '../src/control.js';
import { setAffinity } from '../src/process.js';
import { runProgram } from '../src/program.js';
import { carryOut, loadCommand } from './load-command.js';
import { Told } from './told.js';

const program = loadCommand().action(async (values) => {
  if (values.cpu) setAffinity(values.cpu);
  const told = values.control ? new Told() : null;
  if (told)
    readControl(
      (text) => told.line(text),
      () => process.exit(0),
    );
  await carryOut(values, told);
  process.exit(0);
});

await runProgram('load', () => program.parseAsync());
