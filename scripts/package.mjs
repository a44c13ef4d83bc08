// What `npm pack` and `npm publish` need before and after, and the packages of platforms.
//   node scripts/package.mjs prepack    builds what is out of date and the declarations, and completes package.json
//   node scripts/package.mjs postpack   puts package.json back
//   node scripts/package.mjs platform   the native part of this machine as a package in build/npm/NAME
// npm installs no optional dependency that is not published yet, so a checkout's own package.json names none: those of the
// platforms (npm/platforms.json) are added for the tarball alone.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));
const json = (path) => JSON.parse(readFileSync(path, 'utf8'));
const platforms = json('npm/platforms.json');
const kept = 'build/package.json.kept';

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error(`package: ${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
  process.exit(1);
}

const isMusl = () => process.report.getReport().header.glibcVersionRuntime === undefined;

/** The platform of this machine. */
function ownPlatform() {
  const libc = process.platform === 'linux' ? (isMusl() ? 'musl' : 'glibc') : undefined;
  const found = platforms.find(
    ({ os, cpu, libc: of }) => os === process.platform && cpu === process.arch && of === libc,
  );
  if (found) return found;
  console.error(
    `package: npm/platforms.json has no platform ${process.platform} ${process.arch} ${libc ?? ''}`,
  );
  process.exit(1);
}

function platform() {
  const { name, os, cpu, libc } = ownPlatform();
  const { version, license, engines } = json('package.json');
  const folder = join('build/npm', name);
  const { programs } = json('native/sources.json');
  const files = ['dispatchbench.node', 'dispatchbench_frames.node', ...Object.keys(programs)];
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of files) copyFileSync(join('build/Release', file), join(folder, file));
  // Symbols for debuggers are nine tenths of them; the table of dynamic symbols stays.
  run('strip', '--strip-unneeded', ...files.map((file) => join(folder, file)));
  const described = {
    name: `@dispatchbench/${name}`,
    version,
    description: `The native part of dispatchbench for ${name}`,
    license,
    engines,
    preferUnplugged: true,
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] }),
    files,
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(described, null, 2)}\n`);
  writeFileSync(
    join(folder, 'README.md'),
    readFileSync('npm/README.md', 'utf8').replaceAll('PLATFORM', name),
  );
  copyFileSync('LICENSE', join(folder, 'LICENSE'));
  console.log(folder);
}

function postpack() {
  if (existsSync(kept)) renameSync(kept, 'package.json');
}

function prepack() {
  // What an interrupted one has left.
  postpack();
  run(process.execPath, 'scripts/setup.mjs');
  run(process.execPath, 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.package.json');
  const own = json('package.json');
  copyFileSync('package.json', kept);
  const optionalDependencies = Object.fromEntries(
    platforms.map(({ name }) => [`@dispatchbench/${name}`, own.version]),
  );
  writeFileSync('package.json', `${JSON.stringify({ ...own, optionalDependencies }, null, 2)}\n`);
}

const commands = { prepack, postpack, platform };
const command = commands[process.argv[2]];
if (!command) {
  console.error(`package: say one of ${Object.keys(commands).join(', ')}`);
  process.exit(1);
}
command();
