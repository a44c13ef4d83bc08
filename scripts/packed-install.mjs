// Packs this package, dgram-benchmark and that of this platform, installs them from the files into an empty folder as a user without rights,
// and uses what is there as a stranger would: the commands, a tiny run with its report, every export from a TypeScript
// program. Dependencies come from the npm registry.
//   node scripts/packed-install.mjs [--source]
// --source installs without the platform's package instead and builds the native part from the sources in the tarball.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const fromSource = process.argv.includes('--source');
/** Of files, without what a file system rounds up. */
const mostBytes = 20e6;

const scratch = mkdtempSync(join(tmpdir(), 'dispatchbench-packed-'));
const prefix = join(scratch, 'prefix');
const home = join(scratch, 'home');
const nobody = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};

/** For what has to work where nothing native can be loaded. */
const noNative = { DISPATCHBENCH_ADDON: join(scratch, 'none.node') };

const udpEcho = `import { createSocket } from 'node:dgram';
const socket = createSocket('udp4');
socket.on('message', (message, { port, address }) => socket.send(message, port, address));
socket.bind(0, '127.0.0.1');
`;

function fail(message) {
  throw new Error(message);
}

/** As root everything would be writable. */
function asUser(command, args, { expected = 0, env = {} } = {}) {
  const npm = Object.entries(process.env).filter(([name]) => /^npm_|^DISPATCHBENCH_/i.test(name));
  const bare = Object.fromEntries(npm.map(([name]) => [name, undefined]));
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd: prefix,
    encoding: 'utf8',
    ...nobody,
    env: { ...process.env, ...bare, HOME: home, XDG_CACHE_HOME: join(home, 'cache'), CI: 'true', ...env },
  });
  if (status !== expected)
    fail(
      `${command} ${args.join(' ')} ended with ${signal ?? status}, not ${expected}: ${error?.message ?? stdout + stderr}`,
    );
  return { stdout, stderr };
}

function asked(command, ...args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) fail(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr}`);
  return stdout.trim();
}

function bytesBelow(path) {
  const entry = lstatSync(path);
  if (!entry.isDirectory()) return entry.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesBelow(join(path, name)), 0);
}

/** A file of that user's. */
function give(name, text) {
  writeFileSync(join(prefix, name), text);
  own(join(prefix, name));
}

function own(path) {
  if (nobody.uid) chownSync(path, nobody.uid, nobody.gid);
}

/** What must not have changed: names, sizes and times below a folder. */
function stateOf(path) {
  return readdirSync(path, { recursive: true })
    .sort()
    .map((name) => {
      const { size, mtimeMs } = lstatSync(join(path, name));
      return `${name} ${size} ${mtimeMs}`;
    })
    .join('\n');
}

function expectMatch(text, pattern, what) {
  if (!pattern.test(text)) fail(`${what} does not say ${pattern}: ${text.slice(0, 2000)}`);
}

/** @returns the tarball, and the paths in it */
function pack(...args) {
  const [{ filename, files }] = JSON.parse(
    asked('npm', 'pack', '--json', '--pack-destination', scratch, ...args),
  );
  return { file: join(scratch, filename), files: files.map(({ path }) => path) };
}

/** dgram-benchmark from the package of its own name; its engine in JavaScript where there is no native part. */
function useThin(version) {
  const program = join(prefix, 'node_modules/dgram-benchmark/bin/dgram-benchmark.js');
  const thin = (...args) => asUser(process.execPath, [program, ...args], { env: noNative });
  expectMatch(thin('--version').stdout, new RegExp(`^${version}\n$`), 'dgram-benchmark --version');
  expectMatch(thin('--help').stdout, /--overall-rate/, 'dgram-benchmark --help');
  give('udp-echo.mjs', udpEcho);
  const measured = ['--engine', 'js', '-R', '200', '-d', '0.2', '-j', '-n', '--on-port', '127.0.0.1:1'];
  const { received, lost } = JSON.parse(thin(...measured, '--', process.execPath, 'udp-echo.mjs').stdout);
  if (!(received > 0 && lost === 0)) fail(`dgram-benchmark received ${received} and lost ${lost}`);
}

/** The programs, as one who has just installed them. */
function useCommands(bin) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expectMatch(asUser(bin('dispatchbench'), ['--version']).stdout, new RegExp(`^${version}\n$`), '--version');
  expectMatch(asUser(bin('dispatchbench'), ['--help']).stdout, /idle-connections|run/, '--help');
  useThin(version);
  expectMatch(asUser(bin('dispatchbench'), ['probe']).stdout, /epoll|kqueue/, 'probe');
  // Nothing listens there; it does not come so far.
  const agent = ['agent', '--nats', 'nats://127.0.0.1:1', '--name', 'stranger'];
  const { stderr } = asUser(bin('dispatchbench'), agent, { expected: 1 });
  expectMatch(stderr, /^dispatchbench: NATS needs a package .*npm install @nats-io/, 'agent');
  const window = { warmupMs: 20, durationMs: 150 };
  const settings = {
    backends: ['poll'],
    impls: ['ts', 'native'],
    references: [],
    idle: [0, 5],
    connections: 2,
  };
  const plan = {
    blocks: { min: 1, max: 1 },
    experiments: [
      {
        experiment: 'idle-connections',
        settings: { ...settings, rounds: 0, closed: window, open: { ...window, rate: 200 } },
      },
    ],
  };
  give('plan.json', JSON.stringify(plan));
  asUser(bin('dispatchbench'), [
    'run',
    'idle-connections',
    '--plan',
    'plan.json',
    '--out',
    'runs',
    '--quiet',
  ]);
  const [run] = readdirSync(join(prefix, 'runs'));
  if (!existsSync(join(prefix, 'runs', run, 'report.html'))) fail('the run has left no report');
}

/** What a run of a calm machine looks like; this one may be busy. @returns bytes of the page */
function useReport(bin) {
  for (const name of ['run.json', 'samples.ndjson'])
    give(name, readFileSync(join(root, 'results/example', name), 'utf8'));
  asUser(bin('dispatchbench'), ['report', '.']);
  const page = readFileSync(join(prefix, 'report.html'), 'utf8');
  expectMatch(page, /<svg/, 'the report');
  if (readdirSync(join(prefix, 'plots')).length === 0) fail('the report has drawn no plot');
  return Buffer.byteLength(page);
}

/** A program in TypeScript that knows nothing of us but the package's name. */
function useLibrary() {
  give('stranger.ts', readFileSync(join(root, 'test/packed/stranger.ts'), 'utf8'));
  const compilerOptions = {
    strict: true,
    target: 'ES2023',
    module: 'NodeNext',
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  give('tsconfig.json', JSON.stringify({ compilerOptions, files: ['stranger.ts'] }));
  // The compiler is the checkout's, which others may not be able to read.
  asked(process.execPath, join(root, 'node_modules/typescript/bin/tsc'), '-p', prefix);
  expectMatch(asUser(process.execPath, ['stranger.js']).stdout, /^every export works\n$/, 'a stranger');
}

try {
  chmodSync(scratch, 0o755);
  for (const folder of [prefix, home]) {
    mkdirSync(folder);
    own(folder);
  }
  const main = pack();
  const stray = main.files.filter((path) => /^(results|dist\/(test|bench)|test|bench|\.ci)\//.test(path));
  if (stray.length > 0) fail(`the tarball has what nobody needs: ${stray.slice(0, 3).join(', ')}`);
  const tarballs = [main.file, pack('--workspace', 'dgram-benchmark').file];
  if (!fromSource)
    tarballs.push(pack(`./${asked(process.execPath, 'scripts/package.mjs', 'platform')}`).file);

  give('package.json', '{"private": true, "type": "module"}\n');
  const npmEnv = { npm_config_registry: asked('npm', 'config', 'get', 'registry') };
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--fetch-retries=1'];
  asUser('npm', ['install', ...quiet, ...(fromSource ? ['--omit=optional'] : []), ...tarballs], {
    env: npmEnv,
  });
  const modules = join(prefix, 'node_modules');
  const installed = bytesBelow(modules);
  const bin = (name) => join(modules, '.bin', name);
  if (fromSource) {
    const { stderr } = asUser(bin('dispatchbench'), ['probe'], { expected: 1 });
    expectMatch(
      stderr,
      /^dispatchbench: no prebuilt native part for [\w-]+ .*: run 'npx dispatchbench build'.*\n$/,
      'probe',
    );
    asUser(bin('dispatchbench'), ['build'], { env: npmEnv });
  }

  const before = stateOf(modules);
  useCommands(bin);
  const page = useReport(bin);
  useLibrary();
  if (stateOf(modules) !== before) fail('the commands have written into the installed package');
  const tarball = lstatSync(main.file).size;
  console.log(
    `installed from a tarball of ${(tarball / 1e6).toFixed(2)} MB: ${(installed / 1e6).toFixed(1)} MB; a report of ${(page / 1e6).toFixed(2)} MB`,
  );
  if (!fromSource && installed > mostBytes) fail(`an installation takes more than ${mostBytes / 1e6} MB`);
} catch ({ message }) {
  console.error(`packed install: ${message}`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
