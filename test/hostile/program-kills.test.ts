/**
 * Server, idle holder and load client are killed, told to end or stopped at random instants of real trials: the run goes
 * on, ends by itself, and the sample says what happened. HOSTILE_KILLS says how often, HOSTILE_STOP_MS for how long.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { packageRoot, programPath } from '../../src/addon.js';
import { nodeBackend } from '../../src/dispatch/registry.js';
import { RunFolder } from '../../src/results/folder.js';
import { randomFrom } from '../../src/statistics/random.js';
import { freshFolder } from '../run/fake-run.js';
import { ended, nobodyLeft, running } from '../run/processes.js';
import { bin } from '../support/command.js';
import { tried } from '../support/tally.js';

const kills = Number(process.env.HOSTILE_KILLS ?? 3);
const seed = Number(process.env.HOSTILE_SEED ?? Date.now() % 1e6);
const signals = ['SIGKILL', 'SIGTERM', 'SIGSTOP'] as const;
/** A little longer than a window, unless somebody says otherwise. */
const stopMs = Number(process.env.HOSTILE_STOP_MS ?? 1000);
const victims = {
  server: programPath('dispatchbench-server'),
  'idle holder': resolve(packageRoot, 'dist/clients/idle.js'),
  'load client': resolve(packageRoot, 'dist/clients/load.js'),
};
const blocks = 2;

const settings = {
  ...{ protocol: 'tcp-echo', backends: [nodeBackend], impls: ['native'], references: [], idle: [20] },
  closed: { warmupMs: 50, durationMs: 300 },
  open: { rate: 500, warmupMs: 50, durationMs: 300 },
  rounds: 0,
};
const plan = {
  blocks: { min: blocks, max: blocks },
  experiments: [{ experiment: 'idle-connections', settings }],
};

/** @returns whether it was still there */
function strike(victim: string, signal: NodeJS.Signals): number | null {
  const [pid] = running([victim]).map((line) => Number.parseInt(line, 10));
  if (pid === undefined) return null;
  try {
    process.kill(pid, signal);
    return pid;
  } catch {
    return null;
  }
}

const noProc = process.platform === 'linux' ? false : 'this system has no /proc to find programs in';
test(`a run survives ${kills} kills of its programs (seed ${seed})`, { skip: noProc }, async (t) => {
  const random = randomFrom(seed);
  const names = Object.keys(victims) as (keyof typeof victims)[];
  let harmed = 0;
  for (let n = 0; n < kills; n++) {
    const name = names[n % names.length]!;
    const signal = signals[Math.floor(n / names.length + n) % signals.length]!;
    const what = `kill ${n}, ${signal} to the ${name}, seed ${seed}`;
    const out = freshFolder();
    const file = join(out, 'plan.json');
    writeFileSync(file, JSON.stringify(plan));
    const runs = join(out, 'runs');
    const args = [bin, 'run', 'idle-connections', '--plan', file, '--out', runs, '--quiet'];
    const runner = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore'] });
    const gone = ended(runner);
    while (running([victims[name]]).length === 0 && runner.exitCode === null) await pause(5);
    await pause(random() * 600);
    const pid = strike(victims[name], signal);
    if (signal === 'SIGSTOP' && pid !== null) {
      await pause(stopMs);
      try {
        process.kill(pid, 'SIGCONT');
      } catch {
        // Given up and ended by the stage.
      }
    }
    const code = await gone;
    assert.ok(code === 0 || code === 1 || code === 3, `${what}: exit code ${code}`);
    await nobodyLeft(...Object.values(victims));
    const [run] = readdirSync(runs);
    const { samples, refused } = RunFolder.open(runs, run!).read();
    assert.deepEqual(refused, [], what);
    assert.equal(samples.length, blocks, what);
    for (const { status, error, gates } of samples) {
      if (status === 'ok') continue;
      harmed++;
      const said = [error, ...gates.map(({ message }) => message)].filter(Boolean);
      assert.ok(said.length > 0, `${what}: a trial is ${status} and nothing says why`);
    }
    if (pid !== null) tried(`${signal} to the ${name}`);
  }
  t.diagnostic(`${harmed} trials were harmed, each says by what`);
});
