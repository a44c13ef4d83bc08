/** What a command prints is its result: one that could not be written is a failure, also where console.log keeps quiet. */
import { systemFault } from '../files.js';

/** Says in one sentence what happened to the output, and lets the command end with 1. */
export function reportLostOutput(): void {
  let reported = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that went away, such as `head`, has what it wanted.
    if (error.code === 'EPIPE' || reported) return;
    reported = true;
    console.error(`dispatchbench: the output could not be written: ${systemFault(error)}`);
    process.on('exit', () => {
      process.exitCode ||= 1;
    });
  });
}
