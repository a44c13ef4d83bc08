// Writes docs/reference/*.md and man/*.1 from the definitions that --help shows. `--check` writes nothing and fails when a
// file is out of date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { programWith } from '../dist/src/cli/program.js';
import { entryOf, manual, markdown } from '../dist/src/cli/reference.js';
import { dgramCommand, dgramExamples } from '../dist/src/dgram-benchmark/arguments.js';
import { packageVersion } from '../dist/src/installation.js';

const suite = entryOf(await programWith(() => true));
const datagrams = entryOf(dgramCommand(), '', dgramExamples);
const files = {
  'docs/reference/cli.md': markdown('The command line of dispatchbench', [suite]),
  'docs/reference/dgram-benchmark.md': markdown('The command line of dgram-benchmark', [datagrams]),
  'man/dispatchbench.1': manual(suite, packageVersion(), [datagrams.path]),
  'man/dgram-benchmark.1': manual(datagrams, packageVersion(), [suite.path]),
};
const stale = [];
for (const [name, text] of Object.entries(files)) {
  const file = new URL(`../${name}`, import.meta.url);
  let current = '';
  try {
    current = readFileSync(file, 'utf8');
  } catch {
    // Not written yet.
  }
  if (current === text) continue;
  stale.push(name);
  if (process.argv.includes('--check')) continue;
  mkdirSync(new URL('.', file), { recursive: true });
  writeFileSync(file, text);
}
if (process.argv.includes('--check') && stale.length > 0) {
  console.error(`out of date: ${stale.join(', ')}: run 'npm run reference'`);
  process.exitCode = 1;
}
