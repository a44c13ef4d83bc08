/**
 * The runner is killed, told to end or stopped at random instants of a short run, which is then gone on with.
 * HOSTILE_KILLS says how often, HOSTILE_STOP_MS for how long.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RunFolder } from '../../src/results/folder.js';
import { randomFrom } from '../../src/statistics/random.js';
import { freshFolder } from '../run/fake-run.js';
import { ended, nobodyLeft } from '../run/processes.js';
import { tried } from '../support/tally.js';

const fixture = fileURLToPath(new URL('../run/fake-run.js', import.meta.url));
const program = fileURLToPath(new URL('../run/fake-program.js', import.meta.url));
const kills = Number(process.env.HOSTILE_KILLS ?? 3);
const stopMs = Number(process.env.HOSTILE_STOP_MS ?? 500);
const signals = ['SIGKILL', 'SIGTERM', 'SIGSTOP'] as const;
/** A run of these takes some seconds. */
const longestMs = 5000;
const seed = Number(process.env.HOSTILE_SEED ?? Date.now() % 1e6);

test(`nothing is lost and nothing left of ${kills} kills (seed ${seed})`, async () => {
  const random = randomFrom(seed);
  for (let n = 0; n < kills; n++) {
    const signal = signals[n % signals.length]!;
    const out = freshFolder();
    const runner = spawn(process.execPath, [fixture, out], { stdio: ['ignore', 'pipe', 'ignore'] });
    let finished = 0;
    createInterface({ input: runner.stdout! }).on('line', (line) => {
      if (JSON.parse(line).event === 'trial-end') finished++;
    });
    const gone = ended(runner);
    await pause(300 + random() * longestMs);
    const struck = runner.kill(signal);
    if (signal === 'SIGSTOP') {
      await pause(stopMs);
      runner.kill('SIGCONT');
      // Every other one is left to end by itself.
      if (random() < 0.5) {
        await pause(random() * 500);
        runner.kill('SIGKILL');
      }
    }
    await gone;
    await nobodyLeft(program);
    await nothingLost(out, finished, `kill ${n}, ${signal}, seed ${seed}`);
    if (struck) tried(`${signal} to the runner`);
  }
});

/** What had finished is kept, and the run can be gone on with to its end. */
async function nothingLost(out: string, finished: number, what: string): Promise<void> {
  const name = readdirSync(out)[0];
  if (name === undefined) return; // before it had a folder
  let kept = 0;
  try {
    kept = RunFolder.open(out, name).samples().length;
  } catch {
    assert.equal(finished, 0, what); // before it had a record
    return;
  }
  assert.ok(kept >= finished, `${what}: ${finished} had finished, ${kept} are kept`);
  const again = spawn(process.execPath, [fixture, out, name], { stdio: 'ignore' });
  assert.equal(await ended(again), 0, what);
  const { samples, refused } = RunFolder.open(out, name).read();
  assert.deepEqual(refused, [], what);
  assert.equal(samples.length, 8, what);
  await nobodyLeft(program);
}
