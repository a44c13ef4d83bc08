/**
 * Our ramp client against httperf on the same machine, alternating trial by trial: reply rate and mean response time at
 * rates both can offer, the request rate that one client core can offer at most, and how far apart three agents start.
 *
 *     npm run bench:ramp [-- --quick] [-- --trials N] [-- --only 'reply rate']
 *
 * Minutes with the default of 10 trials, by the name to ask for with `--only`: 'reply rate' 4, 'mean response' 2,
 * 'fast server' 5, '20 ms server' 9, '100 ms server' 9, 'start skew' 1. Rows measured alone have a record of their own.
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { type SessionResult, type SessionSpec, sampleMs } from '../src/contract/ramp.js';
import { startHere } from '../src/hosts/local.js';
import { monotonicNs } from '../src/process.js';
import { prepareStep } from '../src/ramp/client.js';
import { openFleet } from '../src/ramp/clients.js';
import { withKnownAnswer } from '../src/selftest/known-answer.js';
import { onStage } from '../src/stage/on-stage.js';
import { type Interval, meanInterval, ratioInterval } from '../src/statistics/interval.js';
import { randomFrom, shuffled } from '../src/statistics/random.js';
import { onCpus, pinning, roles, site } from './here.js';
import { saveRecord, shown, verdict } from './lib.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    trials: { type: 'string' },
    /** rows whose name holds this */
    only: { type: 'string', default: '' },
  },
});
const trials = Number(options.trials ?? (options.quick ? 2 : 10));
/** httperf samples the reply rate every 5 s: two whole samples, and the end of the last connections. */
const stepS = options.quick ? 5.5 : 10.5;
/** Connections per second x calls that both clients hold with ease. */
const commonRate = 200;
const calls = 10;
/** httperf prints tenths of a millisecond: only a response of some milliseconds can be compared to 5 %. */
const delayMs = 5;
/**
 * What one client core offers at most: connections per second up to beyond what either client can offer; the best step
 * counts. A fast server is busy as soon as the client is, because both pay the kernel's TCP for every request: what one
 * core could offer is told by requests per second of client CPU there. The slower the server, the more sessions stand
 * open at once, and a select(2) client looks at all of them and has 1024 descriptors: the bar is about that.
 */
const conditions: readonly Condition[] = [
  {
    name: 'fast server, few sessions',
    delayMs: 0,
    rates: [200, 500, 1000, 2000, 4000],
    calls: 100,
    seconds: options.quick ? 0.5 : 2,
    bar: null,
  },
  {
    name: '20 ms server, 1000 sessions',
    delayMs: 20,
    rates: [250, 500, 750, 1000, 1500],
    calls: 50,
    seconds: options.quick ? 1 : 4,
    bar: null,
  },
  {
    name: '100 ms server, as many as it takes',
    delayMs: 100,
    rates: [500, 1000, 2000, 4000, 6000],
    calls: 10,
    seconds: options.quick ? 1 : 4,
    bar: 3,
  },
];
const fleetSteps = options.quick ? 5 : 60;
const patienceMs = 60_000;
/** of a step with httperf */
const attempts = 3;

interface Condition {
  name: string;
  delayMs: number;
  /** connections per second */
  rates: readonly number[];
  calls: number;
  seconds: number;
  /** of ours / httperf's */
  bar: number | null;
}

const random = randomFrom('ramp');
type Kind = 'session' | 'httperf';
const kinds: readonly Kind[] = ['session', 'httperf'];

async function step(kind: Kind, port: number, rate: number, count: number, seconds: number) {
  const spec: SessionSpec = {
    host: '127.0.0.1',
    port,
    uri: '/',
    rate,
    connections: Math.ceil(rate * seconds),
    calls: count,
    timeoutMs: 5000,
    sampleMs: kind === 'session' && seconds >= 5 ? 5000 : sampleMs(seconds),
    arrival: 'fixed',
    cpus: pinning.client,
  };
  for (let attempt = 1; ; attempt++) {
    const prepared = prepareStep({ kind, spec }, startHere);
    await prepared.ready;
    prepared.start(monotonicNs());
    const deadline = setTimeout(() => prepared.stop(), 3000 * seconds + spec.timeoutMs + patienceMs);
    try {
      return await prepared.result;
    } catch (fault) {
      // httperf now and then waits for ever for a connection that it has forgotten.
      if (kind !== 'httperf' || attempt === attempts) throw fault;
      console.error(`\nhttperf gave no result at ${rate}/s and is run again: ${(fault as Error).message}`);
    } finally {
      clearTimeout(deadline);
    }
  }
}

const withServer = <T>(work: (port: number) => Promise<T>): Promise<T> =>
  onStage(site, async (stage) => {
    const subject = {
      kind: 'dispatch',
      protocol: 'http',
      impl: 'native',
      backend: 'epoll',
      io: null,
    } as const;
    const { hellos } = await stage.serve(subject);
    return work(hellos[0]!.port);
  });

/** Every block runs both clients once, in an order of its own. */
async function alternating<T>(
  label: string,
  measure: (kind: Kind) => Promise<T>,
): Promise<Record<Kind, T[]>> {
  const seen: Record<Kind, T[]> = { session: [], httperf: [] };
  for (let block = 0; block < trials; block += 1) {
    for (const kind of shuffled(kinds, random)) seen[kind].push(await measure(kind));
    process.stderr.write(`\r${label}: ${block + 1} of ${trials} blocks `);
  }
  process.stderr.write('\n');
  return seen;
}

/** Requests per second, and per second of client CPU, of the step that offered most. */
async function peak(kind: Kind, { delayMs, rates, calls, seconds }: Condition) {
  let best = { perSecond: 0, perCpuSecond: 0 };
  for (const rate of rates) {
    const work = (port: number) => step(kind, port, rate, calls, seconds);
    const { requests, durationS, cpu } =
      delayMs === 0
        ? await withServer(work)
        : (await withKnownAnswer(site, { delayMs }, ({ port }) => work(port))).measured;
    const perSecond = requests / durationS;
    if (perSecond > best.perSecond) best = { perSecond, perCpuSecond: requests / (cpu.userS + cpu.systemS) };
  }
  return best;
}

/** Lateness of each agent's first connection, and the distance between first and last agent of a step, microseconds. */
async function startSkews(): Promise<{ late: number[]; apart: number[] }> {
  return withServer(async (port) => {
    const fleet = await openFleet(['local:a', 'local:b', 'local:c'], null);
    const late: number[] = [];
    const apart: number[] = [];
    try {
      for (let index = 0; index < fleetSteps; index += 1) {
        const { parts } = await fleet.run('session', {
          host: '127.0.0.1',
          port,
          uri: '/',
          rate: 300,
          connections: 30,
          calls: 1,
          timeoutMs: 5000,
          sampleMs: 50,
          arrival: 'fixed',
          cpus: [],
        });
        late.push(...parts.map(({ startSkewNs }) => Math.abs(startSkewNs!) / 1000));
        // One machine has one clock: their distance needs no estimate.
        const starts = parts.map(({ result, offsetNs }) => result!.detail!.startedAtNs - offsetNs);
        apart.push((Math.max(...starts) - Math.min(...starts)) / 1000);
      }
    } finally {
      await fleet.close();
    }
    return { late, apart };
  });
}

const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.ceil(share * values.length) - 1)]!;

const table = new Table({
  head: ['figure', 'ours', 'httperf', 'ours / httperf', 'bar', ''],
  style: { head: [], border: [], compact: true },
});
const record: Record<string, unknown> = { trials, stepS };

function compareRow(
  name: string,
  ours: number[],
  theirs: number[],
  bar: string,
  judge: (ratio: Interval) => string,
) {
  const ratio = ratioInterval(ours, theirs);
  table.push([
    name,
    shown(meanInterval(ours), 1),
    shown(meanInterval(theirs), 1),
    shown(ratio),
    bar,
    judge(ratio),
  ]);
  record[name] = { ours, theirs, ratio };
}

/** Both sides of a band. */
const within = (band: number) => (ratio: Interval) => {
  const sides = [verdict(ratio, 1 - band, 'least'), verdict(ratio, 1 + band, 'most')];
  return sides.find((side) => side === 'MISSED') ?? sides.find((side) => side !== 'met') ?? 'met';
};

const replyRate = 'reply rate, replies/s';
const meanResponse = `mean response of a ${delayMs} ms server, ms`;
const startSkew = 'start skew';
const wanted = (name: string) => name.includes(options.only);
const names = [replyRate, meanResponse, ...conditions.map(({ name }) => name), startSkew];
if (!names.some(wanted)) throw new Error(`no row's name holds '${options.only}': ${names.join('; ')}`);

if (wanted(replyRate)) {
  const fast = await withServer((port) =>
    alternating(`${commonRate}/s x ${calls}`, (kind) => step(kind, port, commonRate, calls, stepS)),
  );
  const rate = (results: SessionResult[]) => results.map((result) => result.replyRate.avg);
  compareRow(replyRate, rate(fast.session), rate(fast.httperf), '1 +- 0.01', within(0.01));
}

if (wanted(meanResponse)) {
  const { measured: slow } = await withKnownAnswer(site, { delayMs }, ({ port }) =>
    alternating(`${delayMs} ms of delay`, (kind) => step(kind, port, 20, calls, options.quick ? 2 : 5)),
  );
  const response = (results: SessionResult[]) => results.map(({ responseMs }) => responseMs);
  compareRow(meanResponse, response(slow.session), response(slow.httperf), '1 +- 0.05', within(0.05));
}

for (const condition of conditions.filter(({ name }) => wanted(name))) {
  const peaks = await alternating(condition.name, (kind) => peak(kind, condition));
  for (const [unit, of] of [
    ['requests/s', 'perSecond'],
    ['requests per CPU second', 'perCpuSecond'],
  ] as const) {
    const values = (kind: Kind) => peaks[kind].map((one) => one[of]);
    const bar = of === 'perSecond' ? condition.bar : null;
    compareRow(
      `${condition.name}: ${unit}`,
      values('session'),
      values('httperf'),
      bar === null ? 'none' : `>= ${bar}`,
      (ratio) => verdict(ratio, bar, 'least'),
    );
  }
}
if (table.length > 0) console.log(`${table.toString()}\n`);

if (wanted(startSkew)) {
  const { late, apart } = await startSkews();
  record.startSkew = { late, apart };
  for (const [name, values] of [
    ['first connection of an agent against the common start', late],
    ['first and last agent of a step', apart],
  ] as const) {
    const p99 = quantile(values, 0.99);
    console.log(
      `${name}: p50 ${quantile(values, 0.5).toFixed(0)} us, p99 ${p99.toFixed(0)} us of ${values.length} (bar 1000 us): ${p99 <= 1000 ? 'met' : 'MISSED'}`,
    );
  }
}
console.log(`\n${onCpus()}`);
console.log(`record: ${saveRecord('ramp', record, options.only)}`);
await roles.close();
