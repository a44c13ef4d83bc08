/**
 * What our layers cost: every implementation against the raw-syscall baseline of the same mechanism, on the same machine,
 * alternating trial by trial. Throughput of a closed loop is often the client's limit, so the server's CPU time per
 * request, between two snapshots inside the run (start-up excluded), is the figure that decides.
 *
 *     npm run bench:overhead [-- --quick] [-- --trials N] [-- --protocol http|tcp-echo] [-- --only epoll]
 *                            [-- --host netns]
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import type { BackendName } from '../src/contract/common.js';
import type { DispatchSubject } from '../src/contract/subject.js';
import { runTrial } from '../src/run/trial.js';
import { type Interval, ratioInterval } from '../src/statistics/interval.js';
import { randomFrom } from '../src/statistics/random.js';
import { hostOption, onCpus, pinning, roles, site } from './here.js';
import { saveRecord, shown, shuffled, verdict } from './lib.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    trials: { type: 'string' },
    protocol: { type: 'string', default: 'http' },
    only: { type: 'string' },
    ...hostOption,
  },
});
const protocol = options.protocol === 'tcp-echo' ? 'tcp-echo' : 'http';
const trials = Number(options.trials ?? (options.quick ? 2 : 10));
const windowMs = options.quick ? 400 : 3000;
const warmupMs = options.quick ? 300 : 1500;
const connections = 100;

type Contender = Pick<DispatchSubject, 'impl' | 'io'>;
const baseline: Contender = { impl: 'baseline', io: null };
/** Bars: least ratio of throughput, most ratio of CPU per request; null: shown beside, without a bar. */
const contenders: readonly (Contender & { throughput: number | null; cpu: number | null })[] = [
  { impl: 'native', io: null, throughput: 0.97, cpu: 1.03 },
  { impl: 'ts', io: 'batch', throughput: 0.95, cpu: 1.08 },
  { impl: 'ts', io: 'call', throughput: 0.95, cpu: 1.15 },
  { impl: 'ts', io: 'native', throughput: null, cpu: null },
  { impl: 'libuv', io: null, throughput: null, cpu: null },
];
const nameOf = ({ impl, io }: Contender) => (io ? `${impl} ${io}` : impl);

const mechanisms = (['select', 'poll', 'epoll'] as const).filter(
  (name) => !options.only || name === options.only,
);
const idleCounts = options.quick ? [0, 1000] : [0, 16_000];

interface Cell {
  backend: BackendName;
  idle: number;
}
interface Measurement extends Cell {
  contender: string;
  throughput: number;
  cpuUsPerRequest: number;
}
interface Comparison extends Cell {
  contender: string;
  throughput: Interval;
  cpu: Interval;
  bars: { throughput: number | null; cpu: number | null };
}

async function measure(contender: Contender, { backend, idle }: Cell): Promise<Measurement> {
  const { impl, io } = contender;
  const window = { name: 'closed', connections, rate: null, size: 64, warmupMs, durationMs: windowMs };
  const subject = { kind: 'dispatch', protocol, impl, io, backend } as const;
  const trial = await runTrial(
    { kind: 'load', subject, processes: 1, idle, windows: [window] },
    { roles, pinning, bestPace: null, signal: site.signal },
  );
  const measured = trial.measurements.closed;
  if (trial.error !== null || measured?.kind !== 'load')
    throw new Error(`${nameOf(contender)} on ${backend}: ${trial.error}`);
  const { before, after, load } = measured;
  const cpuUs = after.cpu.userUs + after.cpu.systemUs - before.cpu.userUs - before.cpu.systemUs;
  const cpuUsPerRequest = cpuUs / (after.requests! - before.requests!);
  return { contender: nameOf(contender), backend, idle, throughput: load.achievedRate, cpuUsPerRequest };
}

/** Each block runs every contender once. */
async function compare(cell: Cell, random: () => number, all: Measurement[]): Promise<Comparison[]> {
  const field = [baseline, ...contenders].filter(({ impl }) => impl !== 'libuv' || cell.backend === 'epoll');
  const here: Measurement[] = [];
  for (let block = 0; block < trials; block++) {
    for (const contender of shuffled(field, random)) {
      here.push(await measure(contender, cell));
      process.stderr.write(
        `\r${cell.backend}, ${cell.idle} idle: ${here.length} of ${trials * field.length} trials `,
      );
    }
  }
  process.stderr.write('\n');
  all.push(...here);
  const figures = (contender: Contender, of: 'throughput' | 'cpuUsPerRequest') =>
    here.filter((one) => one.contender === nameOf(contender)).map((one) => one[of]);
  return contenders
    .filter((contender) => field.includes(contender))
    .map((contender) => ({
      ...cell,
      contender: nameOf(contender),
      throughput: ratioInterval(figures(contender, 'throughput'), figures(baseline, 'throughput')),
      cpu: ratioInterval(figures(contender, 'cpuUsPerRequest'), figures(baseline, 'cpuUsPerRequest')),
      bars: { throughput: contender.throughput, cpu: contender.cpu },
    }));
}

const random = randomFrom('overhead');
const measurements: Measurement[] = [];
const comparisons: Comparison[] = [];
for (const backend of mechanisms) {
  for (const idle of idleCounts)
    comparisons.push(...(await compare({ backend, idle }, random, measurements)));
}

const table = new Table({
  head: [
    'backend',
    'idle',
    'contender',
    'throughput / baseline',
    'bar',
    '',
    'CPU per request / baseline',
    'bar',
    '',
  ],
  style: { head: [], border: [], compact: true },
});
for (const { backend, idle, contender, throughput, cpu, bars } of comparisons) {
  table.push([
    backend,
    idle,
    contender,
    shown(throughput),
    bars.throughput === null ? '' : `>= ${bars.throughput}`,
    verdict(throughput, bars.throughput, 'least'),
    shown(cpu),
    bars.cpu === null ? '' : `<= ${bars.cpu}`,
    verdict(cpu, bars.cpu, 'most'),
  ]);
}
console.log(
  `${protocol}, ${connections} active connections, closed loop, ${trials} trials of ${windowMs} ms, 95 % intervals`,
);
console.log(onCpus());
console.log(table.toString());

const record = { protocol, connections, trials, windowMs, warmupMs, pinning, host: roles.server.facts };
const elsewhere = roles.name === 'local' ? '' : roles.name;
const file = saveRecord(`overhead-${protocol}`, { ...record, comparisons, measurements }, elsewhere);
console.log(`saved in ${file}`);
await roles.close();
