/**
 * `main.js TARGET --seconds N [--seed S]` fuzzes a target; what is learnt stays in .cache for the next time. With
 * `--inputs N` instead it begins anew and keeps nothing, so that a seed says all.
 * `main.js TARGET FILE...` gives it these inputs alone. A finding is written to a file, named, and ends it with 1.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/addon.js';
import { tried } from '../support/tally.js';
import { Coverage } from './coverage.js';
import { Finding, fuzz } from './engine.js';
import { kept } from './kept.js';
import { targets } from './targets.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string' },
    inputs: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
});
const [name, ...files] = positionals;
const entry = targets.find((one) => one.name === name);
if (!entry) {
  console.error(`no target '${name}': ${targets.map((one) => one.name).join(', ')}`);
  process.exit(1);
}
const home = join(packageRoot, '.cache/fuzz', entry.name);
const learnt = join(home, 'corpus');
mkdirSync(learnt, { recursive: true });
const read = (folder: string) => readdirSync(folder).map((file) => readFileSync(join(folder, file)));
const nameOf = (input: Uint8Array) => createHash('sha1').update(input).digest('hex').slice(0, 16);

const coverage = new Coverage(entry.covers);
const target = await entry.load();
const end = performance.now() + 1000 * Number(values.seconds ?? 0);
const learns = values.inputs === undefined && files.length === 0;
try {
  const given = files.map((file) => readFileSync(file));
  const known = files.length > 0 ? given : [...kept(entry.name), ...(learns ? read(learnt) : [])];
  const until = (inputs: number) =>
    files.length > 0 || (values.inputs ? inputs >= Number(values.inputs) : performance.now() >= end);
  const { inputs, corpus, blocks } = await fuzz(target, coverage, {
    seed: Number(values.seed),
    known,
    until,
  });
  if (learns) {
    for (const input of corpus) {
      const file = join(learnt, nameOf(input));
      if (!existsSync(file)) writeFileSync(file, input);
    }
  }
  console.log(`${entry.name}: ${inputs} inputs, ${corpus.length} kept, ${blocks} blocks reached`);
  tried(`inputs of ${entry.name}`, inputs);
} catch (error) {
  if (!(error instanceof Finding)) throw error;
  const file = join(home, `finding-${nameOf(error.input)}`);
  writeFileSync(file, error.input);
  console.error(`${entry.name}, seed ${values.seed}: ${error.message}`);
  console.error(`again: node dist/test/fuzz/main.js ${entry.name} ${file}`);
  process.exitCode = 1;
}
target.close?.();
