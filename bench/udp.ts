/**
 * dgram-benchmark and the native datagram server against sockperf, and the JavaScript engine against a plain node:dgram
 * loop; on the same machine, alternating trial by trial. Linux only; without sockperf its rows are left out.
 *
 * sockperf answers only its own message header, and its client takes only such answers: so both clients meet at
 * sockperf's server, and our client, sending that header, meets both servers.
 *
 *     npm run bench:udp [-- --quick] [-- --trials N] [-- --only 'server CPU']
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { type Interval, ratioInterval } from '../src/analysis/interval.js';
import { randomFrom } from '../src/analysis/random.js';
import type { DgramResult } from '../src/contract/dgram.js';
import { hello } from '../src/contract/server.js';
import { type DgramInput, dgramBenchmark } from '../src/dgram-benchmark/index.js';
import { readKernelView } from '../src/dgram-benchmark/loss.js';
import { Child } from '../src/hosts/child.js';
import { LocalHost } from '../src/hosts/local.js';
import { setAffinity } from '../src/process.js';
import { serverCommand } from '../src/programs/server.js';
import { pinning } from '../src/run/pinning.js';
import { cpuSeconds, saveRecord, shown, shuffled, verdict } from './lib.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    trials: { type: 'string' },
    /** rows whose name holds this */
    only: { type: 'string', default: '' },
  },
});
const trials = Number(options.trials ?? (options.quick ? 2 : 10));
const seconds = options.quick ? 1 : 3;
const window = 64;
const basePort = 21_000;
/** offered rates, datagrams per second, at which both clients look for loss; each for so many seconds */
const loads = [
  5000, 10_000, 20_000, 35_000, 50_000, 75_000, 100_000, 150_000, 200_000, 250_000, 300_000, 400_000,
];
const loadSeconds = 1;
const patienceMs = 10_000;

const places = pinning(new LocalHost().cpus());
const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-udp-'));
const random = randomFrom('udp');

/** sockperf's message: sequence u64, flags u16 (1: from a client, 2: wants an answer), length u32, big endian. */
function sockperfMessage(flags: number): Buffer {
  const message = Buffer.alloc(64);
  message.writeBigUInt64BE(1n, 0);
  message.writeUInt16BE(flags, 8);
  message.writeUInt32BE(message.length, 10);
  return message;
}
const question = sockperfMessage(3);
const answers = { sockperf: sockperfMessage(2), native: question };

interface Server {
  pid: number;
  port: number;
  end(): Promise<void>;
}

const startServer: Record<keyof typeof answers, (ports: number) => Promise<Server>> = {
  async native(ports) {
    const spec = { protocol: 'udp-echo', impl: 'native', backend: 'epoll', control: true } as const;
    const child = new Child('server', serverCommand({ ...spec, ports, cpus: places.server }));
    const { pid, port } = hello.parse(await child.expect('hello', patienceMs));
    return { pid, port, end: () => child.end(2000) };
  },
  async sockperf(ports) {
    const list = join(folder, 'ports');
    const lines = Array.from({ length: ports }, (_, index) => `U:127.0.0.1:${basePort + index}`);
    writeFileSync(list, `${lines.join('\n')}\n`);
    const child = pinned(places.server, 'sockperf', ['server', '-f', list, '-F', 'e']);
    child.stdout!.resume();
    const until = Date.now() + patienceMs;
    while ((await readKernelView(basePort, ports)).server.size < ports) {
      if (child.exitCode !== null || Date.now() > until) throw new Error('sockperf server does not listen');
      await sleep(20);
    }
    const ended = once(child, 'exit');
    return {
      pid: child.pid!,
      port: basePort,
      async end() {
        child.kill('SIGKILL');
        await ended;
      },
    };
  },
};

/** taskset replaces itself by the program, so the process id is the program's. */
function pinned(cpus: readonly number[], program: string, args: string[]): ChildProcess {
  const list = ['--cpu-list', cpus.join(',')];
  return spawn('taskset', [...list, program, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
}

async function withServer<T>(
  kind: keyof typeof answers,
  ports: number,
  work: (server: Server) => Promise<T>,
): Promise<T> {
  const server = await startServer[kind](ports);
  try {
    return await work(server);
  } finally {
    await server.end();
  }
}

const ours = (server: Server, input: Partial<DgramInput>): Promise<DgramResult> =>
  dgramBenchmark({ url: `127.0.0.1:${server.port}`, connections: 1, duration: seconds, ...input }).then();

const inSockperfsForm = (kind: keyof typeof answers) => ({ body: question, expectBody: answers[kind] });

/** Runs a sockperf client to its end. @returns its report and its CPU time, as last seen while it ran */
async function sockperf(args: string[], duration = seconds): Promise<{ text: string; cpu: number }> {
  const fixed = ['-i', '127.0.0.1', '-p', `${basePort}`, '-m', '64', '-t', `${duration}`, '--full-rtt'];
  const child = pinned(places.client, 'sockperf', [...args, ...fixed]);
  let text = '';
  let cpu = 0;
  child.stdout!.on('data', (chunk) => {
    text += chunk;
  });
  const timer = setInterval(() => {
    try {
      cpu = Math.max(cpu, cpuSeconds(child.pid!));
    } catch {
      // It has just ended.
    }
  }, 10);
  await once(child, 'close');
  clearInterval(timer);
  return { text, cpu };
}

const numberIn = (text: string, pattern: RegExp): number => Number(text.match(pattern)?.[1] ?? Number.NaN);

/** Median round trip of one datagram at a time, microseconds. */
async function pingPong(client: string): Promise<number> {
  return withServer('sockperf', 1, async (server) => {
    if (client === 'ours')
      return (await ours(server, inSockperfsForm('sockperf'))).latencyUncorrected.p50 * 1000;
    return numberIn((await sockperf(['ping-pong'])).text, /percentile 50\.000 =\s+([\d.]+)/);
  });
}

/** Datagrams answered per second of client CPU at an offered rate; null when some were lost. */
async function lossFree(client: string, server: Server, rate: number): Promise<number | null> {
  if (client === 'ours') {
    const input = { ...inSockperfsForm('sockperf'), overallRate: rate, duration: loadSeconds };
    const { lost, received, client: own } = await ours(server, input);
    return lost === 0 ? received / (own.cpuUs / 1e6) : null;
  }
  const { text, cpu } = await sockperf(['under-load', '--reply-every=1', `--mps=${rate}`], loadSeconds);
  const received = numberIn(text, /Total Run.*ReceivedMessages=(\d+)/);
  return text.includes('# dropped messages = 0;') ? received / cpu : null;
}

/** The most of it over the offered rates, both clients open loop: up to the first rate that loses some twice. */
async function perClientCore(client: string): Promise<number> {
  return withServer('sockperf', 1, async (server) => {
    let best = 0;
    for (const rate of loads) {
      const found = (await lossFree(client, server, rate)) ?? (await lossFree(client, server, rate));
      if (found === null) break;
      best = Math.max(best, found);
    }
    if (best === 0)
      throw new Error(`${client} lost datagrams at ${loads[0]}/s: the machine is too busy to compare`);
    return best;
  });
}

/** Answered datagrams per second of server CPU. */
async function perServerCore(kind: keyof typeof answers, ports: number): Promise<number> {
  return withServer(kind, ports, async (server) => {
    const before = cpuSeconds(server.pid);
    const result = await ours(server, {
      ...inSockperfsForm(kind),
      ports,
      portOrder: 'random',
      pipelining: window,
    });
    return result.received / (cpuSeconds(server.pid) - before);
  });
}

/** Replies per second of a closed loop on one socket, without books. */
async function plainLoop(server: Server): Promise<number> {
  const socket = createSocket('udp4');
  const datagram = Buffer.alloc(64);
  let received = 0;
  const send = () => socket.send(datagram, server.port, '127.0.0.1');
  socket.on('message', () => {
    received++;
    send();
  });
  const bound = once(socket, 'listening');
  socket.bind(0, '127.0.0.1');
  await bound;
  for (let i = 0; i < window; i++) send();
  await sleep(seconds * 1000);
  socket.close();
  return received / seconds;
}

async function jsEngine(client: string): Promise<number> {
  return withServer('native', 1, async (server) => {
    if (client === 'plain') return plainLoop(server);
    return (await ours(server, { engine: 'js', pipelining: window })).requests.average;
  });
}

interface Row {
  what: string;
  ratio: Interval;
  bar: number;
  side: 'least' | 'most';
  figures: Record<string, number[]>;
}

const rows: Row[] = [];

/** Adds a row; each block runs both contenders once. */
async function compare<Name extends string>(
  what: string,
  names: readonly [Name, Name],
  bar: number,
  side: Row['side'],
  measure: (name: Name) => Promise<number>,
): Promise<void> {
  if (!what.includes(options.only)) return;
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let block = 0; block < trials; block++) {
    for (const name of shuffled(names, random)) {
      figures[name].push(await measure(name));
      process.stderr.write(`\r\u001b[K${what}: block ${block + 1} of ${trials}`);
    }
  }
  process.stderr.write('\r\u001b[K');
  rows.push({ what, ratio: ratioInterval(figures[names[0]], figures[names[1]]), bar, side, figures });
}

const hasSockperf = await once(spawn('sockperf', ['--version'], { stdio: 'ignore' }), 'exit').then(
  () => true,
  () => false,
);
// The bench is the client: its engine's threads run where it runs.
setAffinity(places.client);

try {
  if (hasSockperf) {
    await compare('ping-pong, median round trip', ['ours', 'sockperf'], 1.05, 'most', pingPong);
    await compare(
      'loss-free datagrams per second of client CPU',
      ['ours', 'sockperf'],
      1.5,
      'least',
      perClientCore,
    );
    for (const ports of [1, 1000]) {
      const what = `datagrams per second of server CPU, ${ports} ports`;
      await compare(what, ['native', 'sockperf'], 1, 'least', (kind) => perServerCore(kind, ports));
    }
  } else {
    console.log('sockperf is not installed (apt install sockperf): its rows are left out');
  }
  await compare('js engine, replies per second', ['js', 'plain'], 1, 'least', jsEngine);

  const wide = await withServer('native', 5000, (server) =>
    ours(server, { ports: 5000, overallRate: 500_000, duration: seconds, receiveBuffer: 1 << 24 }),
  );

  const table = new Table({
    head: ['what', 'ratio [95 %]', 'bar', 'verdict'],
    style: { head: [], border: [] },
  });
  for (const { what, ratio, bar, side } of rows) {
    table.push([what, shown(ratio), `${side === 'least' ? '≥' : '≤'} ${bar}`, verdict(ratio, bar, side)]);
  }
  console.log(table.toString());
  const { schedule } = wide;
  console.log(
    `5000 ports x 100/s: ${schedule.achieved.toFixed(0)} of ${schedule.offered?.toFixed(0)}/s sent, ` +
      `lag p99 ${(schedule.lagP99 * 1000).toFixed(0)} µs, lost ${(wide.lossRate * 100).toFixed(2)} % ` +
      `(${JSON.stringify(wide.loss)})`,
  );
  const held = schedule.lagP99 <= 0.1 && wide.lost === 0 && !wide.clientSaturated;
  console.log(held ? 'held' : `not held: ${wide.reasons.join('; ') || 'lost datagrams, see their causes'}`);
  console.log(`saved in ${saveRecord('udp', { trials, seconds, pinning: places, rows, wide })}`);
} finally {
  rmSync(folder, { recursive: true });
}
