/**
 * `write-run.js FOLDER [COUNT [unlocked]]`: writes so many samples into a run's folder as a run does, or goes on with what
 * is there, and prints the sequence of each that it was told is safe. What is refused is tried once more, as a run does. Its
 * samples say that they took as many milliseconds as its process id. Ends with 1 when something could not be written.
 * `unlocked` is the defect that a lock prevents.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { RunFolder } from '../../src/results/folder.js';
import { runInfo, syntheticSample } from '../support/samples.js';

const [parent, count = '6', unlocked] = process.argv.slice(2) as [string, string?, string?];
const cell = { backend: 'epoll', impl: 'native', io: null, idle: 0 };

/** A fault may have left a folder without its record: then nothing was promised yet. */
const begun = readdirSync(parent).find((name) => existsSync(join(parent, name, 'run.json')));
try {
  const run = begun ? RunFolder.open(parent, begun) : RunFolder.create(parent, 'run');
  const unlock = unlocked ? () => {} : await run.lock();
  try {
    run.repair();
    run.writeInfo(runInfo());
    const { samples } = run.read();
    const known = new Set(samples.map(({ sequence }) => sequence));
    for (let sequence = 0; sequence < Number(count); sequence++) {
      if (known.has(sequence)) continue;
      const sample = {
        ...syntheticSample({ cell, cpuUs: 6, block: sequence, sequence }),
        durationMs: process.pid,
      };
      await pause(1);
      try {
        run.append(sample);
      } catch {
        run.append(sample);
      }
      console.log(sequence);
    }
    run.writeInfo(runInfo());
  } finally {
    unlock();
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
