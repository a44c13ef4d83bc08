/**
 * What our layers cost: every implementation against the raw-syscall baseline of the same mechanism. All of them stand at
 * the same time and are measured in rotation; a generation of servers is the unit, and ratios are taken within it.
 * Throughput of a closed loop is often the client's limit, so the server's CPU time per request, between two snapshots
 * inside the run (start-up excluded), is the figure that decides.
 *
 *     npm run bench:overhead [-- --quick] [-- --generations N] [-- --protocol http|tcp-echo] [-- --only epoll]
 *                            [-- --host netns]
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import type { BackendName } from '../src/contract/common.js';
import type { DispatchSubject } from '../src/contract/subject.js';
import { blockedRatio, type Interval } from '../src/statistics/interval.js';
import type { LoadTrial } from '../src/trials/load-window.js';
import { together } from './field.js';
import { hostOption, onCpus, pinning, roles } from './here.js';
import { saveRecord, shown, verdict } from './lib.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    generations: { type: 'string' },
    protocol: { type: 'string', default: 'http' },
    only: { type: 'string' },
    ...hostOption,
  },
});
const protocol = options.protocol === 'tcp-echo' ? 'tcp-echo' : 'http';
const generations = Number(options.generations ?? (options.quick ? 2 : 10));
const rounds = options.quick ? 1 : 8;
const windowMs = 100;
const warmupMs = 20;
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
  generation: number;
  throughput: number;
  cpuUsPerRequest: number;
}
interface Comparison extends Cell {
  contender: string;
  throughput: Interval;
  cpu: Interval;
  bars: { throughput: number | null; cpu: number | null };
}

const specOf = ({ impl, io }: Contender, { backend, idle }: Cell): LoadTrial => ({
  kind: 'load',
  subject: { kind: 'dispatch', protocol, impl, io, backend },
  processes: 1,
  idle,
  windows: [{ name: 'closed', connections, rate: null, size: 64, warmupMs, durationMs: windowMs }],
  rounds,
});

/** One generation of the whole field. */
async function measure(field: readonly Contender[], cell: Cell, generation: number): Promise<Measurement[]> {
  const figures = await together(
    field.map((contender) => [`${nameOf(contender)} on ${cell.backend}`, specOf(contender, cell)]),
    `overhead/${cell.backend}/${cell.idle}/${generation}`,
  );
  return figures.map(({ throughput, cpuUsPerRequest }, index) => ({
    ...{ ...cell, contender: nameOf(field[index]!), generation },
    ...{ throughput, cpuUsPerRequest },
  }));
}

async function compare(cell: Cell, all: Measurement[]): Promise<Comparison[]> {
  const field = [baseline, ...contenders].filter(({ impl }) => impl !== 'libuv' || cell.backend === 'epoll');
  const here: Measurement[] = [];
  for (let generation = 0; generation < generations; generation++) {
    here.push(...(await measure(field, cell, generation)));
    process.stderr.write(
      `\r${cell.backend}, ${cell.idle} idle: ${generation + 1} of ${generations} generations `,
    );
  }
  process.stderr.write('\n');
  all.push(...here);
  const figures = (contender: Contender, of: 'throughput' | 'cpuUsPerRequest') =>
    here
      .filter((one) => one.contender === nameOf(contender))
      .map((one) => ({ block: one.generation, value: one[of] }));
  return contenders
    .filter((contender) => field.includes(contender))
    .map((contender) => ({
      ...cell,
      contender: nameOf(contender),
      throughput: blockedRatio(figures(contender, 'throughput'), figures(baseline, 'throughput')),
      cpu: blockedRatio(figures(contender, 'cpuUsPerRequest'), figures(baseline, 'cpuUsPerRequest')),
      bars: { throughput: contender.throughput, cpu: contender.cpu },
    }));
}

const measurements: Measurement[] = [];
const comparisons: Comparison[] = [];
for (const backend of mechanisms) {
  for (const idle of idleCounts) comparisons.push(...(await compare({ backend, idle }, measurements)));
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
  `${protocol}, ${connections} active connections, closed loop, ${generations} generations of ${rounds} windows of ${windowMs} ms, 95 % intervals`,
);
console.log(onCpus());
console.log(table.toString());

const record = {
  protocol,
  connections,
  generations,
  rounds,
  windowMs,
  warmupMs,
  pinning,
  host: roles.server.facts,
};
const elsewhere = roles.name === 'local' ? '' : roles.name;
const file = saveRecord(`overhead-${protocol}`, { ...record, comparisons, measurements }, elsewhere);
console.log(`saved in ${file}`);
await roles.close();
