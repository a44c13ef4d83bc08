/**
 * Server, idle holder and load client are killed, told to end or stopped at random instants of real trials: the run goes
 * on, ends by itself, and the sample says what happened. HOSTILE_KILLS says how often, HOSTILE_STOP_MS for how long.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
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
/** Strikes of one run, and its trials: some may see two of them, and the last is left alone. */
const perRun = Math.min(kills, 9);
const blocks = perRun + 1;

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

/** Waits for one that was not struck before. @returns its id; null: the run has ended */
async function next(
  victim: string,
  struck: ReadonlySet<number>,
  runner: ChildProcess,
): Promise<number | null> {
  for (;;) {
    const pid = running([victim])
      .map((line) => Number.parseInt(line, 10))
      .find((one) => !struck.has(one));
    if (pid !== undefined) return pid;
    if (runner.exitCode !== null || runner.signalCode !== null) return null;
    await pause(20);
  }
}

/** @returns what has to be waited for after it; null: it was there no more */
function strike(pid: number, signal: NodeJS.Signals): Promise<void> | null {
  try {
    process.kill(pid, signal);
  } catch {
    return null;
  }
  return signal === 'SIGSTOP' ? wake(pid) : Promise.resolve();
}

async function wake(pid: number): Promise<void> {
  await pause(stopMs);
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // Given up and ended by the stage.
  }
}

const names = Object.keys(victims) as (keyof typeof victims)[];

/** Every victim meets every signal in nine of them. */
const kindOf = (n: number) => ({
  name: names[n % names.length]!,
  signal: signals[Math.floor(n / names.length + n) % signals.length]!,
});

const noProc = process.platform === 'linux' ? false : 'this system has no /proc to find programs in';
test(`runs survive ${kills} kills of their programs (seed ${seed})`, { skip: noProc }, async (t) => {
  const random = randomFrom(seed);
  let harmed = 0;
  for (let n = 0; n < kills; ) {
    const out = freshFolder();
    const file = join(out, 'plan.json');
    writeFileSync(file, JSON.stringify(plan));
    const runs = join(out, 'runs');
    const args = [bin, 'run', 'idle-connections', '--plan', file, '--out', runs, '--quiet'];
    const runner = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore'] });
    const gone = ended(runner);
    const struck = new Set<number>();
    const done: string[] = [];
    const woken: Promise<void>[] = [];
    for (const until = Math.min(n + perRun, kills); n < until; ) {
      const { name, signal } = kindOf(n);
      const pid = await next(victims[name], struck, runner);
      if (pid === null) break; // the rest of them go to another run
      struck.add(pid);
      await pause(random() * 500);
      const over = strike(pid, signal);
      if (!over) continue; // it had done its work: another one of its kind
      n++;
      woken.push(over);
      done.push(`${signal} to the ${name}`);
    }
    await Promise.all(woken);
    const code = await gone;
    const what = `${done.join(', ')}, seed ${seed}`;
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
    for (const one of done) tried(one);
  }
  t.diagnostic(`${harmed} trials were harmed, each says by what`);
});
