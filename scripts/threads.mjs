// Runs what shares memory among threads under ThreadSanitizer: a server of several workers in each way to share, a writer
// on a thread of its own, the pairs of a calibration, and the engines that load and hold. The first finding ends it. A race
// that was planted comes before all: where it is not found, no pass says anything.
//   node scripts/threads.mjs
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { acceptSharings } from '../dist/src/contract/names.js';
import { launcher } from './compiler-cache.mjs';
import { serving, visit } from './serving.mjs';

process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));
const folder = 'build/threads';
const compiler = process.env.CXX ?? (spawnSync('c++', ['--version']).error ? 'g++' : 'c++');
const flags = ['-std=c++20', '-O1', '-g', '-fsanitize=thread', '-fno-exceptions', '-fno-rtti', '-pthread'];
const definitions = ['-Inative', '-D_GNU_SOURCE', `-DDISPATCHBENCH_FLAGS="${flags.join(' ')}"`];
const environment = { ...process.env, TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1' };

const sources = JSON.parse(readFileSync('native/sources.json', 'utf8'));
const programs = {
  ...Object.fromEntries(
    ['dispatchbench-server', 'dispatchbench-bare', 'dispatchbench-dispatch-cost'].map((name) => [
      name,
      sources.programs[name],
    ]),
  ),
  ...sources.threads,
};
const core = sources.core.flatMap((room) => sources[room]);
const objectOf = (source) => `${folder}/${source.replaceAll('/', '-')}.o`;

/** @throws Error with what the compiler said */
async function call(command, ...args) {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} failed`);
}

/** Builds the programs; what has not changed is the compiler cache's business. */
async function build() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const queue = [...new Set([...core, ...Object.values(programs).flat()])];
  const compile = async () => {
    for (let source = queue.shift(); source; source = queue.shift()) {
      const [command, ...args] = [...launcher, compiler, ...flags, ...definitions];
      await call(command, ...args, '-c', source, '-o', objectOf(source));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, compile));
  for (const [name, own] of Object.entries(programs))
    await call(compiler, ...flags, ...[...own, ...core].map(objectOf), '-o', `${folder}/${name}`);
}

/** The program's own words are the finding. */
function ends(name, args, input = '') {
  const { status, signal } = spawnSync(resolve(folder, name), args, {
    input,
    stdio: ['pipe', 'ignore', 'inherit'],
    env: environment,
    timeout: 120_000,
  });
  if (status !== 0) throw new Error(`${[name, ...args].join(' ')}: exit ${status ?? signal}`);
  console.log(`${[name, ...args].join(' ')}: no finding`);
}

/** @throws Error when the race that was planted is not found */
function findsPlanted() {
  const { status, stderr } = spawnSync(resolve(folder, 'dispatchbench-threads-check'), ['planted'], {
    encoding: 'utf8',
    env: environment,
    timeout: 120_000,
  });
  if (status === 0 || !/ThreadSanitizer: data race[\s\S]*planted_race/.test(stderr))
    throw new Error(`the planted race was not found (exit ${status}): this check cannot fail\n${stderr}`);
  console.log('the planted race was found');
}

/** The server of these arguments, in the manner of `serving`. */
const servingWith = (args, body) =>
  serving(resolve(folder, 'dispatchbench-server'), ['--control', ...args], environment, body);

/** Connections come and go while figures are asked for. */
async function workersPass(accept) {
  const args = ['--protocol', 'http', '--backend', 'epoll', '--workers', '3', '--accept', accept];
  await servingWith(args, async ({ port, snapshot }) => {
    const left = await visit(port, 40, async (i) => {
      if (i % 8 === 0) await snapshot();
    });
    const { requests } = await snapshot();
    if (requests !== 40) throw new Error(`workers, ${accept}: ${requests} of 40 requests counted`);
    for (const socket of left) socket.destroy();
  });
  console.log(`dispatchbench-server ${args.join(' ')}: no finding`);
}

async function enginesPass() {
  const tcp = ['--protocol', 'http', '--backend', 'epoll', '--workers', '2', '--accept', 'shared'];
  await servingWith(tcp, ({ port }) =>
    servingWith(['--protocol', 'udp-echo', '--backend', 'epoll'], async (datagrams) =>
      ends('dispatchbench-threads-check', [`${port}`, `${datagrams.port}`]),
    ),
  );
}

const started = performance.now();
await build();
console.log(`built in ${((performance.now() - started) / 1000).toFixed(0)} s`);
findsPlanted();
for (const accept of acceptSharings) await workersPass(accept);
for (const backend of ['poll', 'epoll']) {
  const cost = ['--mode', 'wakeup-threads', '--backend', backend, '--pairs', '20'];
  ends('dispatchbench-dispatch-cost', [...cost, '--rounds', '200', '--warmup-rounds', '5']);
}
ends('dispatchbench-bare', ['observer'], 'paired 100 0 0\nping-pong 10 0 0\n');
await enginesPass();
console.log(`${((performance.now() - started) / 1000).toFixed(0)} s in all`);
