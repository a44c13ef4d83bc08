/**
 * Several processes write one run's folder at once, from random instants on, and some of them are killed: what each of them
 * was told is safe is there as it wrote it, once. HOSTILE_WRITERS says how many rounds.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RunFolder } from '../../src/results/folder.js';
import { type Random, randomFrom } from '../../src/statistics/random.js';
import { freshFolder } from '../run/fake-run.js';
import { tried } from '../support/tally.js';

const writer = fileURLToPath(new URL('write-run.js', import.meta.url));
const rounds = Number(process.env.HOSTILE_WRITERS ?? 2);
const seed = Number(process.env.HOSTILE_SEED ?? Date.now() % 1e6);
const trials = 30;
const most = 4;
/** One takes a third of a second to start, and less to write. */
const spreadMs = 300;

interface Writer {
  pid: number;
  /** null: it was killed */
  code: number | null;
  /** sequences of the trials that it was told are safe */
  safe: number[];
}

/** A process that writes, and what there is to say of it when it is over. */
function start(folder: string, ...more: string[]) {
  const child = spawn(process.execPath, [writer, folder, `${trials}`, ...more], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const safe: number[] = [];
  const first = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout })
      .on('line', (line) => {
        safe.push(Number(line));
        resolve();
      })
      .once('close', resolve);
  });
  const over = new Promise<Writer>((resolve) =>
    child.once('close', (code) => resolve({ pid: child.pid!, code, safe })),
  );
  return { first, over, kill: () => child.kill('SIGKILL') };
}

/** A run that somebody has begun and was killed in. */
async function begun(folder: string, random: Random): Promise<Writer> {
  const one = start(folder);
  await one.first;
  await pause(random() * 20);
  one.kill();
  return one.over;
}

/** So many at once; each of them is killed with that chance. */
function race(folder: string, random: Random, killed: number, ...more: string[]): Promise<Writer[]> {
  const writers = Array.from({ length: 2 + Math.floor(random() * (most - 1)) }, async () => {
    await pause(random() * spreadMs);
    const one = start(folder, ...more);
    if (random() < killed) {
      await pause(spreadMs + random() * spreadMs);
      one.kill();
    }
    return one.over;
  });
  return Promise.all(writers);
}

/** What is wrong with the run, in words; empty: nothing. */
function faults(folder: string, writers: readonly Writer[]): string[] {
  const [name] = readdirSync(folder);
  if (name === undefined) return writers.some(({ safe }) => safe.length > 0) ? ['there is no run'] : [];
  const { samples, refused } = RunFolder.open(folder, name).read();
  const by = new Map(samples.map(({ sequence, durationMs }) => [sequence, durationMs]));
  return [
    ...refused.map(({ line, reason }) => `line ${line}: ${reason}`),
    ...(by.size === samples.length ? [] : ['a trial is there twice']),
    ...writers.flatMap(({ pid, safe }) =>
      safe.flatMap((sequence) =>
        by.get(sequence) === pid ? [] : [`trial ${sequence} of ${pid} is not there`],
      ),
    ),
  ];
}

test(`writers of one run leave it whole in ${rounds} rounds (seed ${seed})`, async () => {
  const random = randomFrom(seed);
  for (let round = 0; round < rounds; round++) {
    const what = `round ${round}, seed ${seed}`;
    const folder = freshFolder();
    const writers = [
      await begun(folder, random),
      ...(await race(folder, random, 0.6)),
      ...(await race(folder, random, 0.3)),
    ];
    const last = await start(folder).over;
    assert.equal(last.code, 0, what);
    assert.deepEqual(faults(folder, [...writers, last]), [], what);
    const [name] = readdirSync(folder) as [string];
    const run = RunFolder.open(folder, name);
    assert.equal(run.samples().length, trials, what);
    const claims = readdirSync(run.path).filter((file) => file.startsWith('owner.'));
    assert.deepEqual(claims, [], `${what}: no claim is left`);
    tried('writers of one run', writers.length + 1);
  }
});

test('without the lock the same rounds find what it prevents', async () => {
  const random = randomFrom(seed);
  for (let round = 0; round < 20; round++) {
    const folder = freshFolder();
    const writers = [await begun(folder, random), ...(await race(folder, random, 0, 'unlocked'))];
    if (faults(folder, writers).length > 0) return;
  }
  assert.fail('20 rounds of unlocked writers left every run whole');
});
