/**
 * The runner is killed, told to end or stopped at random instants of a short run, which is then gone on with.
 * HOSTILE_KILLS says how often.
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

const fixture = fileURLToPath(new URL('../run/fake-run.js', import.meta.url));
const program = fileURLToPath(new URL('../run/fake-program.js', import.meta.url));
const kills = Number(process.env.HOSTILE_KILLS ?? 3);
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
    runner.kill(signal);
    if (signal === 'SIGSTOP') {
      await pause(500);
      runner.kill('SIGCONT');
      await pause(random() * 500);
      runner.kill('SIGKILL');
    }
    await gone;
    await nobodyLeft(program);
    const name = readdirSync(out)[0];
    if (name === undefined) continue; // before it had a folder
    const what = `kill ${n}, ${signal}, seed ${seed}`;
    let kept = 0;
    try {
      kept = RunFolder.open(out, name).samples().length;
    } catch {
      assert.equal(finished, 0, what); // before it had a record
      continue;
    }
    assert.ok(kept >= finished, `${what}: ${finished} had finished, ${kept} are kept`);
    const again = spawn(process.execPath, [fixture, out, name], { stdio: 'ignore' });
    assert.equal(await ended(again), 0, what);
    const { samples, refused } = RunFolder.open(out, name).read();
    assert.deepEqual(refused, [], what);
    assert.equal(samples.length, 8, what);
    await nobodyLeft(program);
  }
});
