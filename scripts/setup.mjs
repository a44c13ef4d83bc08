// Brings a checkout to the point where everything runs: dependencies, native addon and programs, TypeScript.
// Does only what is out of date (by digest of the inputs), so a second call does nothing. Plain JavaScript without
// dependencies, because it runs before there are any.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

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

/** Runs `step` unless `stampFile` says it was done with the same inputs, and with the same `found` on this machine. */
function whenStale(stampFile, inputs, step, found = '') {
  const stamp = join(root, stampFile);
  const now = digest(inputs) + found;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now) return;
  step();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, now);
}

/** Runs a command quietly; shows its output only when it fails. */
function run(label, command, args, hint = '') {
  process.stderr.write(`${label} ... `);
  const started = Date.now();
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 });
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

whenStale('node_modules/.dispatchbench-stamp', ['package-lock.json'], () =>
  run(
    'Installing dependencies',
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund'],
    ' Is the npm registry reachable?',
  ),
);
const buildNative = () => {
  checkToolchain();
  // Headers that came with this Node spare a download; without them node-gyp fetches its own.
  const prefix = resolve(dirname(process.execPath), '..');
  const local = existsSync(join(prefix, 'include/node/node_api.h')) ? [`--nodedir=${prefix}`] : [];
  run('Building the native addon and programs', 'npm', ['run', '--silent', 'build:native', '--', ...local]);
};
const { stdout: peers } = spawnSync(process.execPath, ['scripts/sources.mjs', 'peers'], { encoding: 'utf8' });
const nativeInputs = ['native', 'binding.gyp', 'scripts/sources.mjs'];
whenStale('build/.dispatchbench-stamp', nativeInputs, buildNative, peers.replaceAll('\n', ' '));
whenStale(
  'dist/.dispatchbench-stamp',
  ['src', 'servers', 'clients', 'gateways', 'test', 'bench', 'tsconfig.json'],
  () =>
    run('Compiling TypeScript', process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']),
);
whenStale(
  'dist/.echarts-stamp',
  ['src/report/assets/echarts.js', 'scripts/echarts.mjs', 'package-lock.json'],
  () => run('Bundling the drawing library', process.execPath, ['scripts/echarts.mjs']),
);
whenStale(
  'dist/.offload-page-stamp',
  ['src/offload', 'src/contract/offload.ts', 'scripts/offload-page.mjs', 'package-lock.json'],
  () => run('Bundling the page of providers', process.execPath, ['scripts/offload-page.mjs']),
);
