// Brings a checkout to the point where everything runs: dependencies, native addon and programs, TypeScript.
// Does only what is out of date (by digest of the inputs), so a second call does nothing. Plain JavaScript without
// dependencies, because it runs before there are any.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compilerCacheOfGyp } from './compiler-cache.mjs';
import { lockSetup } from './setup-lock.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Ends setup with one clear message. */
function fail(message) {
  console.error(`dispatchbench setup: ${message}`);
  process.exit(1);
}

function digest(paths) {
  const hash = createHash('sha256');
  const visit = (path) => {
    const full = join(root, path);
    if (!existsSync(full)) return;
    if (statSync(full).isDirectory()) {
      for (const name of readdirSync(full).sort()) visit(join(path, name));
    } else {
      hash.update(path).update('\0').update(readFileSync(full)).update('\0');
    }
  };
  for (const path of paths) visit(path);
  return hash.digest('hex');
}

/** What a step was done with: its inputs, and what was found on this machine. */
const madeOf = ({ inputs, found = '' }) => digest(inputs) + found;

function isStale(step) {
  const stamp = join(root, step.stamp);
  return !existsSync(stamp) || readFileSync(stamp, 'utf8') !== madeOf(step);
}

/** Does a step, and says with what. */
function carryOut(step) {
  const now = madeOf(step);
  step.work();
  const stamp = join(root, step.stamp);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, now);
}

/** Runs a command quietly; shows its output only when it fails. */
function run(label, command, args, { hint = '', env = {} } = {}) {
  process.stderr.write(`${label} ... `);
  const started = Date.now();
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20, env: { ...process.env, ...env } };
  const result = spawnSync(command, args, options);
  if (result.error || result.status !== 0) {
    process.stderr.write('failed\n');
    process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
    fail(`${label} failed (${[command, ...args].join(' ')}).${hint}`);
  }
  process.stderr.write(`done (${((Date.now() - started) / 1000).toFixed(1)} s)\n`);
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) fail(`Node ${process.versions.node} is too old: install Node 20 or newer.`);
}

/** A compiler is asked to compile, not just for its version: an old one may be there and not know C++20. */
function checkToolchain() {
  const missing = [];
  for (const [tool, args] of [
    ['make', ['--version']],
    ['python3', ['--version']],
  ]) {
    if (spawnSync(tool, args).error) missing.push(tool);
  }
  const compiler = process.env.CXX ?? (spawnSync('c++', ['--version']).error ? 'g++' : 'c++');
  const probe = spawnSync(compiler, ['-std=c++20', '-x', 'c++', '-fsyntax-only', '-'], {
    input: '#include <span>\nint main() { std::span<int> s; return static_cast<int>(s.size()); }\n',
    encoding: 'utf8',
  });
  if (probe.error) missing.push('a C++ compiler');
  if (missing.length > 0) {
    fail(`${missing.join(', ')} not found: install them (Debian, Ubuntu: apt install g++ make python3).`);
  }
  if (probe.status !== 0) fail(`${compiler} does not compile C++20: install g++ 10 or clang 12, or newer.`);
}

function checkLoopback() {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', (error) =>
      fail(`no IPv4 loopback (127.0.0.1: ${error.code}): bring the interface up (ip link set lo up).`),
    );
    server.listen(0, '127.0.0.1', () => server.close(done));
  });
}

checkNode();
await checkLoopback();
process.chdir(root);

const buildNative = () => {
  checkToolchain();
  // Headers that came with this Node spare a download; without them node-gyp fetches its own.
  const prefix = resolve(dirname(process.execPath), '..');
  const local = existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
  const build = ['run', '--silent', 'build:native', '--', ...local];
  run('Building the native addon and programs', 'npm', build, { env: compilerCacheOfGyp() });
};

/** In this order: each needs those before it. */
const steps = [
  {
    stamp: 'node_modules/.dispatchbench-stamp',
    inputs: ['package-lock.json'],
    work: () =>
      run('Installing dependencies', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
        hint: ' Is the npm registry reachable?',
      }),
  },
  {
    stamp: 'build/.dispatchbench-stamp',
    inputs: ['native', 'binding.gyp', 'scripts/sources.mjs'],
    found: spawnSync(process.execPath, ['scripts/sources.mjs', 'peers'], {
      encoding: 'utf8',
    }).stdout.replaceAll('\n', ' '),
    work: buildNative,
  },
  {
    stamp: 'dist/.dispatchbench-stamp',
    inputs: ['src', 'servers', 'clients', 'gateways', 'test', 'bench', 'tsconfig.json'],
    work: () =>
      run('Compiling TypeScript', process.execPath, [
        'node_modules/typescript/bin/tsc',
        '-p',
        'tsconfig.json',
      ]),
  },
  {
    stamp: 'dist/.echarts-stamp',
    inputs: ['src/report/assets/echarts.js', 'scripts/echarts.mjs', 'package-lock.json'],
    work: () => run('Bundling the drawing library', process.execPath, ['scripts/echarts.mjs']),
  },
  {
    stamp: 'dist/.offload-page-stamp',
    inputs: ['src/offload', 'src/contract/offload.ts', 'scripts/offload-page.mjs', 'package-lock.json'],
    work: () => run('Bundling the page of providers', process.execPath, ['scripts/offload-page.mjs']),
  },
];

if (steps.some(isStale)) {
  await lockSetup(join(root, 'build'), (pid, claim) =>
    console.error(`dispatchbench setup: waiting for process ${pid}, which does the same (${claim})`),
  );
  // Whoever was waited for may have done it.
  for (const step of steps) if (isStale(step)) carryOut(step);
}
