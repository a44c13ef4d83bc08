// Compiles the native core for systems this machine is not, with zig's cross compiler, and links the standalone programs
// for FreeBSD so that they can be carried there. Objects are kept by digest of everything they depend on.
//   node scripts/cross.mjs [target-substring ...]
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ZIG = '0.17.0';
// FreeBSD 14.0 and NetBSD 11 are the oldest whose C library zig can stand in for.
const targets = [
  { name: 'x86_64-freebsd.14.0', optimize: '-O2', link: true },
  { name: 'x86_64-netbsd.11.0', optimize: '-O0', link: false },
  { name: 'aarch64-macos', optimize: '-O0', link: false },
];
const flags = [
  '-std=c++20',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-fno-exceptions',
  '-fno-rtti',
  '-D_GNU_SOURCE',
  '-Inative',
];

process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));
const objects = '.cache/cross';
const environment = {
  ...process.env,
  ZIG_GLOBAL_CACHE_DIR: resolve('.cache/zig-cache'),
  ZIG_LOCAL_CACHE_DIR: resolve('.cache/zig-cache'),
};

/** Installs the pinned compiler into .cache/ unless it is there, and returns its path. */
function installZig() {
  const venv = `.cache/zig-${ZIG}`;
  const python = `${venv}/bin/python`;
  const locate = () =>
    spawnSync(
      python,
      ['-c', 'import ziglang, os; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))'],
      {
        encoding: 'utf8',
      },
    );
  if (locate().status !== 0) {
    console.log(`installing ziglang ${ZIG} from PyPI`);
    for (const [command, ...args] of [
      ['python3', '-m', 'venv', venv],
      [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `ziglang==${ZIG}`],
    ]) {
      const { status } = spawnSync(command, args, { stdio: 'inherit' });
      if (status !== 0) {
        console.error(`${[command, ...args].join(' ')} failed: the cross builds need python3-venv and PyPI`);
        process.exit(1);
      }
    }
  }
  return locate().stdout.trim();
}

function headers() {
  const found = readdirSync('native', { recursive: true }).filter((name) => name.endsWith('.h'));
  return found.sort().map((name) => readFileSync(join('native', name)));
}

/** Runs zig; resolves with its exit code after printing what it said, under `label`. */
function zig(compiler, label, args) {
  return new Promise((done) => {
    const child = spawn(compiler, ['c++', ...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('close', (code) => {
      if (output !== '') console.error(`${label}:\n${output}`);
      done(code);
    });
  });
}

/** Runs `tasks` (functions that return promises), as many at a time as there are CPUs. */
async function inParallel(tasks) {
  const queue = [...tasks];
  const worker = async () => {
    for (let task = queue.shift(); task; task = queue.shift()) await task();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

const compiler = installZig();
const sources = JSON.parse(readFileSync('native/sources.json', 'utf8'));
const core = sources.core.flatMap((room) => sources[room]);
const everything = [...new Set([...core, ...Object.values(sources.programs).flat()])];
const wanted = process.argv.slice(2);
const chosen = targets.filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
);
if (chosen.length === 0) {
  console.error(`no target matches ${wanted.join(', ')}: ${targets.map(({ name }) => name).join(', ')}`);
  process.exit(1);
}

const common = createHash('sha256').update(ZIG).update(flags.join(' '));
for (const header of headers()) common.update(header);
let failures = 0;
let reused = 0;

const objectOf = ({ name, optimize }, source) => {
  const digest = common
    .copy()
    .update(name)
    .update(optimize)
    .update(source)
    .update(readFileSync(source))
    .digest('hex');
  return join(objects, name, `${basename(source, '.cc')}-${digest.slice(0, 16)}.o`);
};

const compilations = chosen.flatMap((target) => {
  mkdirSync(join(objects, target.name), { recursive: true });
  return everything.map((source) => async () => {
    const object = objectOf(target, source);
    if (existsSync(object)) {
      reused += 1;
      return;
    }
    const args = ['-target', target.name, target.optimize, ...flags, '-c', source, '-o', `${object}.part`];
    if ((await zig(compiler, `${target.name}: ${source}`, args)) === 0) renameSync(`${object}.part`, object);
    else failures += 1;
  });
});
await inParallel(compilations);
console.log(
  `${chosen.map(({ name }) => name).join(', ')}: ${compilations.length} compilations, ${reused} reused, ${failures} failed`,
);
if (failures > 0) process.exit(1);

for (const target of chosen.filter(({ link }) => link)) {
  const out = join('build/cross', target.name);
  mkdirSync(out, { recursive: true });
  for (const [program, files] of Object.entries(sources.programs)) {
    const inputs = [...new Set([...files, ...core])].map((source) => objectOf(target, source));
    const args = ['-target', target.name, target.optimize, ...inputs, '-lpthread', '-o', join(out, program)];
    if ((await zig(compiler, `${target.name}: link ${program}`, args)) !== 0) process.exit(1);
    console.log(`linked ${join(out, program)}`);
  }
}
