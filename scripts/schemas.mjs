// Writes schemas/*.json, the JSON Schemas of everything a program or a run writes, from the zod schemas they come from.
// `--check` writes nothing and fails when a file is out of date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { dgramResult } from '../dist/src/contract/dgram.js';
import { idleLine } from '../dist/src/contract/idle.js';
import { loadLine } from '../dist/src/contract/load.js';
import { planFile, runEvent, runInfo } from '../dist/src/contract/run.js';
import { sample } from '../dist/src/contract/sample.js';
import { farewell, hello, snapshot } from '../dist/src/contract/server.js';

const published = {
  'dgram-result': [dgramResult, 'The result of dgram-benchmark.'],
  'idle-line': [idleLine, 'One line of an idle holder.'],
  'load-line': [loadLine, 'One line of a load client.'],
  plan: [planFile, 'A plan for dispatchbench run --plan, in YAML or JSON.'],
  run: [runInfo, 'run.json of a run.'],
  'run-event': [runEvent, 'One line of dispatchbench run --json.'],
  sample: [sample, 'One line of samples.ndjson.'],
  'server-line': [
    z.discriminatedUnion('event', [hello, snapshot, farewell]),
    'One line of a server under test.',
  ],
};

const folder = new URL('../schemas/', import.meta.url);
const check = process.argv.includes('--check');
mkdirSync(folder, { recursive: true });
const stale = [];
for (const [name, [schema, description]] of Object.entries(published)) {
  // A plan is described as it is written, the others as they are read.
  const io = name === 'plan' ? 'input' : 'output';
  const text = `${JSON.stringify({ title: name, description, ...z.toJSONSchema(schema, { io }) }, null, 2)}\n`;
  const file = new URL(`${name}.json`, folder);
  let current = '';
  try {
    current = readFileSync(file, 'utf8');
  } catch {
    // Not written yet.
  }
  if (current === text) continue;
  stale.push(name);
  if (!check) writeFileSync(file, text);
}
if (check && stale.length > 0) {
  console.error(`schemas out of date: ${stale.join(', ')}: run 'npm run schemas'`);
  process.exitCode = 1;
}
