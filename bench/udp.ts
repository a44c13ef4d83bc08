/**
 * dgram-benchmark and the native datagram server against sockperf and iperf3, and the JavaScript engine against a plain
 * node:dgram loop; on the same machine, alternating trial by trial. Linux only; a peer that is not installed is left out.
 *
 * sockperf answers only its own message header, and its client takes only such answers: so both clients meet at
 * sockperf's server, and our client, sending that header, meets both servers. iperf3 sends one way, to its own server.
 *
 *     npm run bench:udp [-- --quick] [-- --trials N] [-- --only 'server CPU']
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import type { DgramResult } from '../src/contract/dgram.js';
import { type DgramInput, dgramBenchmark } from '../src/library/dgram-benchmark.js';
import { setAffinity } from '../src/process.js';
import { type Interval, ratioInterval } from '../src/statistics/interval.js';
import { randomFrom, shuffled } from '../src/statistics/random.js';
import { pinning, roles } from './here.js';
import { cpuSeconds, saveRecord, shown, verdict } from './lib.js';
import {
  inSockperfsForm,
  installed,
  iperf3,
  type Server,
  type ServerKind,
  sockperf,
  withServer,
} from './udp-peers.js';

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
/** Offered rates, datagrams per second, at which both clients look for loss; each for so many seconds. */
const loads = [
  5000, 10_000, 20_000, 35_000, 50_000, 75_000, 100_000, 150_000, 200_000, 250_000, 300_000, 400_000,
];
const loadSeconds = 1;
/** It is looked closer between the last rate that was held and the first that was not, until they are so near. */
const nearEnough = options.quick ? 1.25 : 1.05;
/** A rate counts as held when so much of it was answered, and nothing was lost. */
const heldShare = 0.95;

const random = randomFrom('udp');

const ours = (server: Server, input: Partial<DgramInput>): Promise<DgramResult> =>
  dgramBenchmark({ url: `127.0.0.1:${server.port}`, connections: 1, duration: seconds, ...input }).then();

const numberIn = (text: string, pattern: RegExp): number => Number(text.match(pattern)?.[1] ?? Number.NaN);

/** Median round trip of one datagram at a time, microseconds. */
async function pingPong(client: string): Promise<number[]> {
  return withServer('sockperf', 1, async (server) => {
    if (client === 'ours')
      return [(await ours(server, inSockperfsForm('sockperf'))).latencyUncorrected.p50 * 1000];
    const { text } = await sockperf(['ping-pong'], seconds);
    return [numberIn(text, /percentile 50\.000 =\s+([\d.]+)/)];
  });
}

interface Answered {
  perSecond: number;
  perCpuSecond: number;
}

/** What came of an offered rate; null when some were lost, or it was not held. */
async function lossFree(client: string, server: Server, rate: number): Promise<Answered | null> {
  let answered: Answered;
  let lost: boolean;
  if (client === 'ours') {
    const input = { ...inSockperfsForm('sockperf'), overallRate: rate, duration: loadSeconds };
    const result = await ours(server, input);
    lost = result.lost > 0;
    answered = {
      perSecond: result.received / result.duration,
      perCpuSecond: result.received / (result.client.cpuUs / 1e6),
    };
  } else {
    const { text, cpu } = await sockperf(['under-load', '--reply-every=1', `--mps=${rate}`], loadSeconds);
    const received = numberIn(text, /Total Run.*ReceivedMessages=(\d+)/);
    lost = !text.includes('# dropped messages = 0;');
    answered = {
      perSecond: received / numberIn(text, /Total Run.*RunTime=([\d.]+)/),
      perCpuSecond: received / cpu,
    };
  }
  return !lost && answered.perSecond >= heldShare * rate ? answered : null;
}

/**
 * Over offered rates without loss, both clients open loop: the most datagrams per second of client CPU, and the most per
 * second. A rate that loses some is tried once more; between the last held rate and the first that is not, it is looked
 * closer.
 */
async function lossFreeLimits(client: string): Promise<number[]> {
  return withServer('sockperf', 1, async (server) => {
    const best = { perCpuSecond: 0, perSecond: 0 };
    let held = 0;
    const holds = async (rate: number) => {
      const found = (await lossFree(client, server, rate)) ?? (await lossFree(client, server, rate));
      if (found === null) return false;
      held = rate;
      best.perCpuSecond = Math.max(best.perCpuSecond, found.perCpuSecond);
      best.perSecond = Math.max(best.perSecond, found.perSecond);
      return true;
    };
    let lost = Number.POSITIVE_INFINITY;
    for (const rate of loads) {
      if (await holds(rate)) continue;
      lost = rate;
      break;
    }
    if (held === 0)
      throw new Error(`${client} lost datagrams at ${loads[0]}/s: the machine is too busy to compare`);
    while (Number.isFinite(lost) && lost / held > nearEnough) {
      const between = Math.round(Math.sqrt(held * lost));
      if (!(await holds(between))) lost = between;
    }
    return [best.perCpuSecond, best.perSecond];
  });
}

/** Answered datagrams per second of server CPU. */
async function perServerCore(kind: ServerKind, ports: number): Promise<number[]> {
  return withServer(kind, ports, async (server) => {
    const before = cpuSeconds(server.pid);
    const result = await ours(server, {
      ...inSockperfsForm(kind),
      ports,
      portOrder: 'random',
      pipelining: window,
    });
    return [result.received / (cpuSeconds(server.pid) - before)];
  });
}

/** Datagrams sent per second of client CPU, flat out; ours are limited by their replies, which it takes as well. */
async function flatOut(client: string): Promise<number[]> {
  if (client === 'iperf3') return [await iperf3(seconds)];
  return withServer('native', 1, async (server) => {
    const { sent, client: own } = await ours(server, { pipelining: window });
    return [sent / (own.cpuUs / 1e6)];
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

async function jsEngine(client: string): Promise<number[]> {
  return withServer('native', 1, async (server) => {
    if (client === 'plain') return [await plainLoop(server)];
    return [(await ours(server, { engine: 'js', pipelining: window })).requests.average];
  });
}

interface Question {
  what: string;
  /** null: shown without a bar */
  bar: number | null;
  side: 'least' | 'most';
}

interface Row extends Question {
  ratio: Interval;
  figures: Record<string, number[]>;
}

const rows: Row[] = [];
const known: string[] = [];

function wanted(...names: string[]): boolean {
  known.push(...names);
  return names.some((name) => name.includes(options.only));
}

/** Adds a row for each question; each block runs both contenders once, and `measure` answers all questions. */
async function compare<Name extends string>(
  questions: readonly Question[],
  names: readonly [Name, Name],
  measure: (name: Name) => Promise<number[]>,
): Promise<void> {
  if (!wanted(...questions.map(({ what }) => what))) return;
  const answers = Object.fromEntries(names.map((name) => [name, [] as number[][]])) as Record<
    Name,
    number[][]
  >;
  for (let block = 0; block < trials; block++) {
    for (const name of shuffled(names, random)) {
      answers[name].push(await measure(name));
      process.stderr.write(`\r\u001b[K${questions[0]!.what}: block ${block + 1} of ${trials}`);
    }
  }
  process.stderr.write('\r\u001b[K');
  for (const [index, question] of questions.entries()) {
    const figures = Object.fromEntries(
      names.map((name) => [name, answers[name].map((all) => all[index]!)]),
    ) as Record<Name, number[]>;
    rows.push({ ...question, ratio: ratioInterval(figures[names[0]], figures[names[1]]), figures });
  }
}

/** 5000 ports at 100 datagrams per second each. */
async function wide(): Promise<DgramResult> {
  return withServer('native', 5000, (server) =>
    ours(server, { ports: 5000, overallRate: 500_000, duration: seconds, receiveBuffer: 1 << 24 }),
  );
}

function describeWide({ schedule, lossRate, loss, lost, clientSaturated, reasons }: DgramResult): string {
  const held = schedule.lagP99 <= 0.1 && lost === 0 && !clientSaturated;
  return (
    `5000 ports x 100/s: ${schedule.achieved.toFixed(0)} of ${schedule.offered?.toFixed(0)}/s sent, ` +
    `lag p99 ${(schedule.lagP99 * 1000).toFixed(0)} µs, lost ${(lossRate * 100).toFixed(2)} % ` +
    `(${JSON.stringify(loss)})\n` +
    (held ? 'held' : `not held: ${reasons.join('; ') || 'lost datagrams, see their causes'}`)
  );
}

async function peers(): Promise<void> {
  if (await installed('sockperf')) {
    const names = ['ours', 'sockperf'] as const;
    await compare([{ what: 'ping-pong, median round trip', bar: 1.05, side: 'most' }], names, pingPong);
    await compare(
      [
        { what: 'loss-free datagrams per second of client CPU', bar: 1.5, side: 'least' },
        { what: 'highest loss-free rate', bar: null, side: 'least' },
      ],
      names,
      lossFreeLimits,
    );
    for (const ports of [1, 1000]) {
      const what = `datagrams per second of server CPU, ${ports} ports`;
      await compare([{ what, bar: 1, side: 'least' }], ['native', 'sockperf'], (kind) =>
        perServerCore(kind, ports),
      );
    }
  } else {
    console.log('sockperf is not installed (apt install sockperf): its rows are left out');
  }
  if (await installed('iperf3')) {
    const what = 'datagrams sent per second of client CPU: ours with their replies, iperf3 one way';
    await compare([{ what, bar: null, side: 'least' }], ['ours', 'iperf3'], flatOut);
  } else {
    console.log('iperf3 is not installed (apt install iperf3): its row is left out');
  }
}

// The bench is the client: its engine's threads run where it runs.
setAffinity(pinning.client);

await peers();
await compare([{ what: 'js engine, replies per second', bar: 1, side: 'least' }], ['js', 'plain'], jsEngine);
const wideResult = wanted('5000 ports') ? await wide() : null;

if (!known.some((name) => name.includes(options.only))) {
  console.error(`bench:udp: no row's name holds '${options.only}'; the rows are: ${known.join('; ')}`);
  process.exit(2);
}
if (rows.length > 0) {
  const table = new Table({
    head: ['what', 'ratio [95 %]', 'bar', 'verdict'],
    style: { head: [], border: [] },
    colWidths: [50],
    wordWrap: true,
  });
  for (const { what, ratio, bar, side } of rows) {
    const asked = bar === null ? '' : `${side === 'least' ? '≥' : '≤'} ${bar}`;
    table.push([what, shown(ratio), asked, verdict(ratio, bar, side)]);
  }
  console.log(table.toString());
}
if (wideResult) console.log(describeWide(wideResult));
const record = { trials, seconds, pinning, rows, wide: wideResult };
console.log(`saved in ${saveRecord('udp', record, options.only)}`);
await roles.close();
