/**
 * The keeper: does what must be done when whoever started it is gone, however that one ended. Its argument is a JSON array
 * of commands, each an array of words; none is read by a shell. A command that fails is tried again for a while: what it
 * removes may still be in use.
 */
import { spawnSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { readControl } from '../src/control.js';
import { runProgram } from '../src/program.js';

const triedMs = 10_000;
const againMs = 50;

const commands = z.array(z.array(z.string()).min(1));

async function carryOut([command, ...args]: string[]): Promise<void> {
  const deadline = performance.now() + triedMs;
  while (spawnSync(command!, args, { stdio: 'ignore' }).status !== 0 && performance.now() < deadline)
    await pause(againMs);
}

await runProgram('keeper', async () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
  const all = commands.parse(JSON.parse(process.argv[2] ?? ''));
  readControl(
    () => {},
    async () => {
      for (const one of all) await carryOut(one);
      process.exit(0);
    },
  );
});
