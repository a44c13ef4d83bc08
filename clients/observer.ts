/**
 * The observer: tells about the machine it runs on, a line of src/contract/host.ts for each line that it is sent. It ends
 * when its stdin does.
 */
import { printLine, readControl } from '../src/control.js';
import { counters, look, memory, memoryCopy, state } from '../src/hosts/machine.js';
import { monotonicNs } from '../src/process.js';
import { runProgram } from '../src/program.js';

const answers: Record<string, () => { event: string } | Promise<{ event: string }>> = {
  look: () => ({ event: 'look', ...look() }),
  counters: () => ({ event: 'counters', ...counters() }),
  memory: () => ({ event: 'memory', ...memory() }),
  state: async () => ({ event: 'state', ...(await state()) }),
  'memory-copy': async () => ({ event: 'memory-copy', ...(await memoryCopy()) }),
  ping: () => {
    const receivedNs = monotonicNs();
    return { event: 'pong', receivedNs, sentNs: monotonicNs() } as { event: string };
  },
};

await runProgram('observer', async () => {
  // The terminal's Ctrl-C is for whoever asks, not for us.
  process.on('SIGINT', () => {});
  readControl(
    (text) => {
      const answer = Object.hasOwn(answers, text) ? answers[text] : undefined;
      if (answer) void Promise.resolve(answer()).then(printLine);
      else console.error(`observer: unknown question '${text.slice(0, 80)}'`);
    },
    () => process.exit(0),
  );
});
