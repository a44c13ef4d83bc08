// Runs each standalone program, built with the sanitizers, on its own with leak detection. The first finding ends it.
//   node scripts/leaks.mjs [folder of the programs]
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { costModes, costPeers } from '../dist/src/contract/cost.js';
import { peerServers } from '../dist/src/contract/peers.js';
import { serving, visit } from './serving.mjs';

process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));
const folder = process.argv[2] ?? 'build/sanitize/Release';
const strict = 'halt_on_error=1:print_stacktrace=1';
const leakChecked = { ...process.env, ASAN_OPTIONS: `detect_leaks=1:${strict}`, UBSAN_OPTIONS: strict };

const programPath = (name) => resolve(folder, name);

/** Serves a few connections, some left open, and ends by end of control: no finding, no leak. */
async function servesWithoutLeak(program, ...args) {
  let left = [];
  await serving(programPath(program), args, leakChecked, async ({ port, snapshot }) => {
    left = await visit(port, 8);
    await snapshot();
  });
  for (const socket of left) socket.destroy();
  console.log(`${[program, ...args].join(' ')}: no finding, no leak`);
}

/** Runs to its own end: no finding, no leak. */
function runsWithoutLeak(program, ...args) {
  saysWithoutLeak('', program, ...args);
}

/** The same of one that is told something. */
function saysWithoutLeak(input, program, ...args) {
  const label = [program, ...args].join(' ');
  const { status, signal } = spawnSync(programPath(program), args, {
    input,
    stdio: ['pipe', 'ignore', 'inherit'],
    env: leakChecked,
  });
  if (status !== 0) throw new Error(`${label}: exit ${status ?? signal}`);
  console.log(`${label}: no finding, no leak`);
}

/** The native server on a completion engine, in the ways to use a ring, where the kernel has one. */
async function enginePass(program) {
  const engine = ['--engine', 'uring', '--control'];
  const tried = spawnSync(programPath(program), engine, {
    input: 'stop\n',
    env: leakChecked,
    encoding: 'utf8',
  });
  if (tried.status !== 0 && tried.stderr.includes('is not available here')) {
    console.log(`${program} on an engine: left out. ${tried.stderr.trim()}`);
    return;
  }
  for (const options of ['bytes=64,buffers=4', 'bundle,bytes=64', 'direct,incremental', 'sqpoll']) {
    for (const protocol of ['tcp-echo', 'http']) {
      await servesWithoutLeak(program, '--protocol', protocol, ...engine, '--engine-options', options);
    }
  }
}

async function serverPass(program) {
  for (const protocol of ['tcp-echo', 'http']) {
    for (const backend of ['select', 'poll', 'epoll']) {
      await servesWithoutLeak(program, '--protocol', protocol, '--backend', backend, '--control');
    }
  }
}

/** Of our native server alone: the baseline is one thread. */
async function workersPass(program) {
  const workers = ['--workers', '2', '--accept', 'shared'];
  await servesWithoutLeak(program, '--protocol', 'http', '--backend', 'epoll', '--control', ...workers);
}

/** Every mode in one round or a few; those of several descriptors have some. */
function costPass(program, impls = ['native', 'baseline'], backends = ['select', 'poll', 'epoll']) {
  const more = {
    'loud-talker': ['--active', '9', '--writes', '20'],
    'udp-fan-in': ['--active', '9', '--writes', '20'],
  };
  for (const { name: mode, active } of costModes) {
    const several = more[mode] ?? (active === 'unused' ? [] : ['--active', '9']);
    for (const impl of impls) {
      for (const backend of backends) {
        const asked = ['--mode', mode, '--impl', impl, '--backend', backend, ...several];
        runsWithoutLeak(program, ...asked, '--pairs', '20', '--rounds', '20', '--warmup-rounds', '1');
      }
    }
  }
}

function barePass(program) {
  const shell = 'read -r line; echo "$line"; echo over >&2';
  const frames = [
    { type: 'start', id: 1, command: '/bin/sh', args: ['-c', shell] },
    { type: 'start', id: 2, command: '/nowhere', args: [] },
    { type: 'line', id: 1, text: 'a line' },
    { type: 'end', id: 1, graceMs: 1000 },
  ];
  saysWithoutLeak(frames.map((frame) => `${JSON.stringify(frame)}\n`).join(''), program, 'starter');
  const questions = ['system', 'texts /proc/meminfo /proc/sys/net/ipv4/tcp_*', 'clocks', 'ping', 'spin 1000'];
  const work = [
    'walk 65536 100',
    'alone 100 0',
    'paired 100 0 0',
    'ping-pong 10 0 0',
    'copy 4096 3',
    'dance',
  ];
  saysWithoutLeak([...questions, ...work, ''].join('\n'), program, 'observer');
}

async function foreignPass(program) {
  const server = [programPath('dispatchbench-server'), '--protocol', 'http', '--backend', 'poll'];
  for (const accounting of ['any', 'rusage']) {
    const options = ['--protocol', 'http', '--accounting', accounting, '--control'];
    await servesWithoutLeak(program, ...options, '--', ...server, '--port', '{port}');
  }
}

async function gatewayPass(program) {
  for (const backend of ['select', 'poll', 'epoll', 'epoll-et', 'epoll-oneshot']) {
    await servesWithoutLeak(program, '--backend', backend, '--listen', '127.0.0.1:0', '--control');
  }
}

/** Sends a few datagrams, to which the other namespace has no answer but that nobody listens. */
const datagrams = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('error', () => {});
  for (let i = 0; i < 50; i++) socket.send('x'.repeat(i), 9, '198.18.0.1');
  setTimeout(() => socket.close(), 100);`;

/** Links two namespaces and carries datagrams and their refusals. Needs root, as the program does. */
async function linkPass(program) {
  const sides = ['client', 'server'];
  const spaces = sides.map(() =>
    spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'ignore', 'inherit'] }),
  );
  const within = (index, ...command) => {
    const args = [`--net=/proc/${spaces[index].pid}/ns/net`, ...command];
    const { status, signal } = spawnSync('nsenter', args, { stdio: 'inherit' });
    if (status !== 0) throw new Error(`${program}: ${command.join(' ')} ended with ${status ?? signal}`);
  };
  try {
    const made = ({ pid }) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'cat';
    while (!spaces.every(made)) await new Promise((resolve) => setTimeout(resolve, 20));
    const ends = sides.flatMap((side, index) => [
      ...[`--${side}-space`, `/proc/${spaces[index].pid}/ns/net`, `--${side}-device`, side],
    ]);
    const shape = [
      '--up-delay',
      '2000000',
      '--up-rate',
      '1000000',
      '--up-loss',
      '100000000',
      '--up-limit',
      '20',
    ];
    const child = spawn(programPath(program), [...ends, ...shape], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: leakChecked,
    });
    const exit = once(child, 'exit');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    if ((await lines.next()).done) throw new Error(`${program}: ended before it was ready`);
    for (const [index, side] of sides.entries()) {
      within(index, 'ip', 'address', 'add', `198.18.0.${2 - index}/30`, 'dev', side);
      within(index, 'ip', 'link', 'set', side, 'up');
    }
    within(0, process.execPath, '-e', datagrams);
    child.stdin.write('report\n');
    const { up, down } = JSON.parse((await lines.next()).value);
    if (up.packets < 50 || up.overflowed === 0 || up.passed === 0 || down.passed === 0)
      throw new Error(`${program}: carried ${JSON.stringify({ up, down })}`);
    // Some are under way when it ends.
    within(0, process.execPath, '-e', datagrams);
    child.stdin.end();
    const [code, signal] = await exit;
    if (code !== 0) throw new Error(`${program}: exit ${code ?? signal}`);
  } finally {
    for (const one of spaces) one.stdin.end();
  }
  console.log(`${program}: no finding, no leak`);
}

/** Starts a command a few times, and one that is not there. */
async function spawnPass(program) {
  const run = (...args) =>
    spawnSync(programPath(program), args, { env: leakChecked, encoding: 'utf8', timeout: 60_000 });
  const { status, stdout, stderr } = run('--spawns', '20', '--', 'cat');
  if (status !== 0 || JSON.parse(stdout).bytesOut !== 100) throw new Error(`${program}: ${stdout}${stderr}`);
  const missing = run('--', '/nonexistent');
  if (missing.status !== 1 || !missing.stderr.startsWith(`${program}: cannot start`))
    throw new Error(`${program}: ${missing.status} ${missing.stderr}`);
  console.log(`${program}: no finding, no leak`);
}

/** Receiving ends of a program that has two, and how they end. */
function receivers(program) {
  const receiver = async (...more) => {
    const child = spawn(programPath(program), ['--role', 'receiver', '--control', ...more], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: leakChecked,
    });
    const exit = once(child, 'exit');
    const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
    return { child, exit, port: JSON.parse(value).port };
  };
  const expectExit = async ({ exit }, wanted) => {
    const [code, signal] = await exit;
    if (code !== wanted) throw new Error(`${program}: exit ${code ?? signal} of the receiver`);
  };
  return { receiver, expectExit };
}

/** Carries a few streams in every way, and is then given up on by its sender, and told to stop. */
async function transferPass(program) {
  const { receiver, expectExit } = receivers(program);
  for (const backend of ['select', 'poll', 'epoll', 'epoll-et', 'epoll-oneshot']) {
    for (const way of ['copy', 'sendfile', 'splice', 'zerocopy', 'uring-zerocopy']) {
      const one = await receiver('--backend', backend, '--chunk', '5000');
      const sender = ['--role', 'sender', '--port', `${one.port}`, '--backend', backend, '--way', way];
      runsWithoutLeak(program, ...sender, '--streams', '3', '--bytes', '3000001');
      await expectExit(one, 0);
    }
  }
  const cut = await receiver();
  const socket = connect(cut.port, '127.0.0.1');
  socket.on('error', () => {});
  // The head of the first of two streams, and bytes that are no tail.
  const head = Buffer.alloc(132);
  head.write('dbxsend1');
  head.writeUInt32LE(2, 20);
  socket.end(head);
  await expectExit(cut, 1);
  const stopped = await receiver();
  stopped.child.stdin.end();
  await expectExit(stopped, 1);
  console.log(`${program}: no finding, no leak`);
}

/** Moves memory by every codec that is here, with changes meanwhile, and is then cut off, sent nonsense, and told to stop. */
async function migratePass(program) {
  const { receiver, expectExit } = receivers(program);
  for (const backend of ['select', 'poll', 'epoll', 'epoll-et', 'epoll-oneshot']) {
    const one = await receiver('--backend', backend);
    const sender = ['--role', 'sender', '--port', `${one.port}`, '--backend', backend, '--bytes', '2109440'];
    runsWithoutLeak(program, ...sender, '--connections', '3', '--workers', '2', '--codec', 'auto');
    await expectExit(one, 0);
  }
  for (const more of [
    ['--passes', '2', '--dirty', '10000'],
    ['--dirty-rate', '5000'],
  ]) {
    const one = await receiver();
    runsWithoutLeak(program, '--role', 'sender', '--port', `${one.port}`, '--bytes', '2097152', ...more);
    await expectExit(one, 0);
  }
  runsWithoutLeak(program, '--role', 'codecs', '--bytes', '1048576', '--dirty', '10000');
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-leaks-'));
  const into = join(folder, 'memory');
  writeFileSync(`${into}.partial`, Buffer.alloc(2097152, 1));
  const kept = await receiver('--into', into, '--keep');
  runsWithoutLeak(program, '--role', 'sender', '--port', `${kept.port}`, '--bytes', '2097152');
  await expectExit(kept, 0);
  rmSync(folder, { recursive: true });
  const cut = await receiver('--patience', '200');
  const socket = connect(cut.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.end('nobody knows what this is, and it is longer than a hello');
  socket.on('close', () => cut.child.stdin.end());
  await expectExit(cut, 1);
  console.log(`${program}: no finding, no leak`);
}

const passes = {
  'dispatchbench-server': async (program) => {
    await serverPass(program);
    await workersPass(program);
    await enginePass(program);
  },
  'dispatchbench-baseline': serverPass,
  'dispatchbench-bare': barePass,
  'dispatchbench-dispatch-cost': costPass,
  'dispatchbench-foreign': foreignPass,
  'dispatchbench-gateway': gatewayPass,
  'dispatchbench-link': linkPass,
  'dispatchbench-migrate': migratePass,
  'dispatchbench-spawn': spawnPass,
  'dispatchbench-transfer': transferPass,
};
const { programs, peers } = JSON.parse(readFileSync('native/sources.json', 'utf8'));
for (const program of Object.keys(programs)) {
  if (!passes[program]) throw new Error(`${program}: say in scripts/leaks.mjs how it is run`);
  await passes[program](program);
}
for (const program of Object.keys(peers)) {
  if (!existsSync(programPath(program))) {
    console.log(`${program}: not built, its library is not here`);
    continue;
  }
  const here = ['select', 'poll', 'epoll'];
  const peer = costPeers.find((one) => one.program === program);
  if (peer) {
    costPass(
      program,
      [peer.name],
      here.filter((backend) => peer.backends.includes(backend)),
    );
    continue;
  }
  const { backends, server } = peerServers.find((one) => one.server.program === program);
  for (const backend of here.filter((one) => backends.includes(one))) {
    for (const protocol of server.protocols) {
      const command = [
        programPath(program),
        '--protocol',
        protocol,
        '--backend',
        backend,
        '--port',
        '{port}',
      ];
      const wrapper = ['--protocol', protocol, '--accounting', 'rusage', '--control', '--'];
      await servesWithoutLeak('dispatchbench-foreign', ...wrapper, ...command);
    }
  }
}
