/**
 * `write-run.js FOLDER [COUNT]`: writes so many samples into a run's folder as a run does, or goes on with what is there,
 * and prints the sequence of each that it was told is safe. What is refused is tried once more, as a run does. Ends with 1
 * when something could not be written.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { RunFolder } from '../../src/results/folder.js';
import { runInfo, syntheticSample } from '../support/samples.js';

const [parent, count = '6'] = process.argv.slice(2) as [string, string?];
const cell = { backend: 'epoll', impl: 'native', io: null, idle: 0 };

/** A fault may have left a folder without its record: then nothing was promised yet. */
const begun = readdirSync(parent).find((name) => existsSync(join(parent, name, 'run.json')));
try {
  const run = begun ? RunFolder.open(parent, begun) : RunFolder.create(parent, 'run');
  const unlock = await run.lock();
  try {
    run.repair();
    run.writeInfo(runInfo());
    const { samples } = run.read();
    const known = new Set(samples.map(({ sequence }) => sequence));
    for (let sequence = 0; sequence < Number(count); sequence++) {
      if (known.has(sequence)) continue;
      const sample = syntheticSample({ cell, cpuUs: 6, block: sequence, sequence });
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
