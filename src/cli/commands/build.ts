/**
 * `dispatchbench build`: the native part from its sources, for machines that have no platform package; or somebody else's program
 * that is measured beside ours, by Go.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Argument, Command } from '@commander-js/extra-typings';
import { buildGoProgram } from '../../go.js';
import { builtFromSource, inCheckout, packageRoot } from '../../installation.js';
import { goPrograms } from '../../quorum-peers/registry.js';
import { withExamples } from '../examples.js';

/** What npm runs as a child says it itself. @throws Error in one sentence */
function run(cwd: string, what: string, command: string, ...args: string[]): void {
  process.stderr.write(`${what} ...\n`);
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
  if (status !== 0)
    throw new Error(
      `${what} failed (${error?.message ?? `${command} ended with ${status}`}): it takes a C++20 compiler, make and python3 (Debian, Ubuntu: apt install g++ make python3)`,
    );
}

/** Sources as the package has them, and what its build script needs. */
const sources = ['native', 'binding.gyp', 'scripts/sources.mjs'];
const isResult = (name: string) => /^dispatchbench(-[a-z-]+|(_frames)?\.node)$/.test(name);

/** Built beside its final place and renamed when complete, so that a build that was interrupted is never taken for one. */
function fromPackage(): string {
  const folder = builtFromSource();
  const work = `${folder}.making`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  for (const path of sources) cpSync(join(packageRoot, path), join(work, path), { recursive: true });
  const { devDependencies } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  const dependencies = { 'node-addon-api': devDependencies['node-addon-api'] };
  // npm brings node-gyp along for its scripts.
  const scripts = { native: 'node-gyp configure build' };
  writeFileSync(
    join(work, 'package.json'),
    JSON.stringify({ private: true, type: 'module', gypfile: false, dependencies, scripts }),
  );
  const prefix = resolve(dirname(process.execPath), '..');
  const headers = existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
  run(
    work,
    'fetching the headers of node-addon-api',
    'npm',
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  );
  run(
    work,
    'building the native part',
    'npm',
    'run',
    '--silent',
    'native',
    '--',
    '--jobs',
    'max',
    ...headers,
  );
  const made = join(work, 'made');
  mkdirSync(made);
  for (const name of readdirSync(join(work, 'build/Release')).filter(isResult))
    renameSync(join(work, 'build/Release', name), join(made, name));
  rmSync(folder, { recursive: true, force: true });
  renameSync(made, folder);
  rmSync(work, { recursive: true, force: true });
  return folder;
}

function fromSource(): void {
  if (inCheckout) run(packageRoot, 'setting the checkout up', process.execPath, 'scripts/setup.mjs');
  else console.log(`built: ${fromPackage()}`);
}

export const build = new Command('build')
  .description(
    "Builds the native part from the sources in the package into this user's cache folder, for machines that have no platform package. Needs a C++20 compiler, make and python3. Or a program of somebody else's that is measured beside ours; needs Go.",
  )
  .addArgument(
    new Argument('[program]', "somebody else's program; left out: the native part").choices(
      goPrograms.map(({ name }) => name),
    ),
  )
  .action((name) => {
    const program = goPrograms.find((one) => one.name === name);
    if (program) console.log(`built: ${buildGoProgram(program, (line) => console.error(line))}`);
    else fromSource();
  });

withExamples(build, [
  ['build', 'into the cache folder of this user'],
  [`build ${goPrograms[0]!.name}`, 'for run quorum, where the installed one is too old or there is none'],
  ['probe', 'says afterwards whether it works'],
]);
