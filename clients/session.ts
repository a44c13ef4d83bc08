/**
 * The session client: one step of a ramp. Its arguments are a SessionSpec as JSON and the number of load threads; it prints `ready`, waits for a line
 * `start <nanoseconds of CLOCK_MONOTONIC>` on stdin, and prints `ended` and `result`. It ends when its stdin does.
 */
import { sessionSpec } from '../src/contract/ramp.js';
import { printLine, readControl } from '../src/control.js';
import { setAffinity } from '../src/process.js';
import { runProgram } from '../src/program.js';
import { runSession } from '../src/ramp/session.js';

await runProgram('session', async () => {
  const spec = sessionSpec.parse(JSON.parse(process.argv[2] ?? ''));
  if (spec.cpus.length > 0) setAffinity(spec.cpus);
  const start = new Promise<number>((resolve) => {
    readControl(
      (text) => {
        const match = /^start (\d+)$/.exec(text);
        if (match) resolve(Number(match[1]));
      },
      () => process.exit(0),
    );
  });
  const observer = {
    begin() {
      printLine({ event: 'ready' });
      return start;
    },
    ended: () => printLine({ event: 'ended' }),
  };
  const result = await runSession(spec, observer, Number(process.argv[3] ?? 1));
  printLine(result);
  process.exit(0);
});
