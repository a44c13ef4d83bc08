// Prints the sources of the named groups of native/sources.json, one a line, for binding.gyp.
// `core` stands for all the rooms it lists, `program:NAME` for one standalone program's own sources.
import { readFileSync } from 'node:fs';

const sources = JSON.parse(readFileSync(new URL('../native/sources.json', import.meta.url), 'utf8'));
for (const group of process.argv.slice(2).flatMap((name) => (name === 'core' ? sources.core : name))) {
  const list = group.startsWith('program:') ? sources.programs[group.slice(8)] : sources[group];
  if (!list) throw new Error(`native/sources.json has no group '${group}'`);
  for (const file of list) console.log(file);
}
