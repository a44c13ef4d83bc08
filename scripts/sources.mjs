// Prints the sources of the named groups of native/sources.json, one a line, for binding.gyp.
// `core` stands for all the rooms it lists, `program:NAME` for one standalone program's own sources, `peer:NAME` for those of
// a program on somebody else's library. `peers` prints which of those can be built here: whose header the compiler finds.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const sources = JSON.parse(readFileSync(new URL('../native/sources.json', import.meta.url), 'utf8'));

function peers() {
  const asked = Object.entries(sources.peers).map(
    ([name, { header }]) => `#if __has_include(<${header}>)\n"${name}"\n#endif\n`,
  );
  const compiler = process.env.CXX ?? (spawnSync('c++', ['--version']).error ? 'g++' : 'c++');
  const { stdout } = spawnSync(compiler, ['-E', '-P', '-x', 'c++', '-'], {
    input: asked.join(''),
    encoding: 'utf8',
  });
  return [...(stdout ?? '').matchAll(/"(.+)"/g)].map(([, name]) => name);
}

function list(group) {
  if (group === 'peers') return peers();
  if (group.startsWith('program:')) return sources.programs[group.slice(8)];
  if (group.startsWith('peer:')) return sources.peers[group.slice(5)]?.sources;
  return sources[group];
}

for (const group of process.argv.slice(2).flatMap((name) => (name === 'core' ? sources.core : name))) {
  const files = list(group);
  if (!files) throw new Error(`native/sources.json has no group '${group}'`);
  for (const file of files) console.log(file);
}
