/**
 * epoll or io_uring? Servers on the completion engine against ours on epoll and against bare system calls on epoll, by CPU
 * time per request at equal work. All of them stand at the same time and are measured in rotation; a generation of servers
 * is the unit, and ratios are taken within it. A second copy of the baseline says what a ratio of 1 looks like here. At the
 * end stands the map of where completion pays, with UDP, idle connections and their memory (uring-map.ts), from which
 * size sending without copying does (uring-zerocopy.ts), and what waiting for more at a time saves on either (uring-waiting.ts).
 *
 *     npm run bench:uring [-- --quick] [-- --generations N] [-- --protocol http|tcp-echo] [-- --connections 100,1000]
 *                         [-- --only tcp,udp,idle,memory,zerocopy,waiting] [-- --host netns]
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { listEngines } from '../src/dispatch/completion.js';
import { blockedRatio, type Interval } from '../src/statistics/interval.js';
import type { LoadTrial } from '../src/trials/load-window.js';
import { type Figures, together } from './field.js';
import { hostOption, onCpus, pinning, roles } from './here.js';
import { saveRecord, shown, verdict } from './lib.js';
import { caseIds, mapTable, otherRows, rowsOf, type ServerOf, servers } from './uring-map.js';
import { waitingOnEither } from './uring-waiting.js';
import { zeroCopyBySize } from './uring-zerocopy.js';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    generations: { type: 'string' },
    protocol: { type: 'string', default: 'http' },
    connections: { type: 'string', default: '100,1000' },
    only: { type: 'string' },
    ...hostOption,
  },
});
const protocol = options.protocol === 'tcp-echo' ? 'tcp-echo' : 'http';
const generations = Number(options.generations ?? (options.quick ? 2 : 14));
const rounds = options.quick ? 1 : 6;
const windowMs = 100;
const warmupMs = 20;

const parts = ['tcp', ...caseIds, 'zerocopy', 'waiting'];
const asked = options.only?.split(',') ?? parts;
const unknown = asked.filter((part) => !parts.includes(part));
if (unknown.length > 0) throw new Error(`--only has no '${unknown[0]}': it takes ${parts.join(', ')}`);

interface Contender extends ServerOf {
  name: string;
  /** whose CPU time per request it is held against, and the most that the ratio may be; null: shown without a bar */
  against?: string;
  most?: number | null;
}
const native = servers['native uring'];
const ts = servers['TypeScript uring'];
const baseline = { impl: 'baseline', io: null, backend: 'epoll' } as const;
/** What an epoll server makes per request beside its waits: one receive, one send (test/servers/system-calls). */
const callsBesideWaits = (backend: string) => (backend === 'uring' ? 0 : 2);
const field: readonly Contender[] = [
  { name: 'raw epoll', ...baseline },
  { name: 'raw epoll again', ...baseline, against: 'raw epoll', most: null },
  { name: 'native epoll', ...servers['native epoll'], against: 'raw epoll', most: null },
  { name: 'native uring', ...native, against: 'native epoll', most: 1 },
  {
    ...{ name: 'native uring, direct descriptors', ...native, engineOptions: 'direct' },
    ...{ against: 'native epoll', most: 1 },
  },
  {
    ...{ name: 'native uring, incremental buffers', ...native },
    ...{ engineOptions: 'direct,incremental,buffers=16,bytes=65536', against: 'native epoll', most: 1 },
  },
  {
    ...{ name: 'native uring, batches of 32 or 200 µs', ...native },
    ...{ engineOptions: 'direct,batch=32,wait=200', against: 'native epoll', most: null },
  },
  { name: 'TypeScript epoll', ...servers['TypeScript epoll'], against: 'raw epoll', most: null },
  { name: 'TypeScript uring', ...ts, against: 'raw epoll', most: 1.03 },
  {
    ...{ name: 'TypeScript uring, direct descriptors', ...ts, engineOptions: 'direct' },
    ...{ against: 'raw epoll', most: 1.03 },
  },
];

interface Measurement extends Figures {
  connections: number;
  contender: string;
  generation: number;
}
interface Comparison {
  connections: number;
  contender: string;
  against: string;
  cpu: Interval;
  most: number | null;
  callsPerRequest: number | null;
}

function trialOf(contender: Contender, connections: number): LoadTrial {
  const { name: _, against: __, most: ___, ...server } = contender;
  return {
    kind: 'load',
    subject: { kind: 'dispatch', protocol, ...server },
    processes: 1,
    idle: 0,
    windows: [{ name: 'closed', connections, rate: null, size: 64, warmupMs, durationMs: windowMs }],
    rounds,
  };
}

async function measure(connections: number): Promise<Measurement[]> {
  const all: Measurement[] = [];
  for (let generation = 0; generation < generations; generation++) {
    const figures = await together(
      field.map((contender) => [contender.name, trialOf(contender, connections)]),
      `uring/${connections}/${generation}`,
    );
    all.push(
      ...figures.map((one, index) => ({ connections, contender: field[index]!.name, generation, ...one })),
    );
    process.stderr.write(`\r${connections} connections: ${generation + 1} of ${generations} generations `);
  }
  process.stderr.write('\n');
  return all;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function compare(connections: number, all: readonly Measurement[]): Comparison[] {
  const of = (name: string) => all.filter(({ contender }) => contender === name);
  const cpu = (name: string) =>
    of(name).map(({ generation, cpuUsPerRequest }) => ({ block: generation, value: cpuUsPerRequest }));
  return field.flatMap(({ name, against, most = null, backend }) => {
    if (against === undefined) return [];
    const waits = of(name).flatMap(({ waitsPerRequest }) => waitsPerRequest ?? []);
    const callsPerRequest = waits.length === 0 ? null : mean(waits) + callsBesideWaits(backend);
    const ratio = blockedRatio(cpu(name), cpu(against));
    return [{ connections, contender: name, against, cpu: ratio, most, callsPerRequest }];
  });
}

function comparisonTable(comparisons: readonly Comparison[]): string {
  const table = new Table({
    head: ['connections', 'server', 'against', 'CPU per request', 'bar', '', 'system calls a request'],
    style: { head: [], border: [], compact: true },
  });
  for (const { connections, contender, against, cpu, most, callsPerRequest } of comparisons) {
    table.push([
      connections,
      contender,
      against,
      shown(cpu),
      most === null ? '' : `<= ${most.toFixed(2)}`,
      verdict(cpu, most, 'most'),
      callsPerRequest === null ? '' : callsPerRequest.toFixed(2),
    ]);
  }
  return table.toString();
}

const absent = listEngines().find(({ available }) => !available);
if (absent) {
  console.log(`nothing to compare: ${absent.reason}`);
} else {
  const measurements: Measurement[] = [];
  const comparisons: Comparison[] = [];
  for (const connections of asked.includes('tcp') ? options.connections.split(',').map(Number) : []) {
    const here = await measure(connections);
    measurements.push(...here);
    comparisons.push(...compare(connections, here));
  }
  const others = await otherRows(asked, options.quick, options.quick ? 1 : generations);
  const map = [
    ...[...new Set(measurements.map(({ connections }) => connections))].flatMap((connections) =>
      rowsOf(
        `TCP (${protocol}), closed loop, ${connections} connections`,
        'µs a request',
        measurements
          .filter((one) => one.connections === connections)
          .map(({ cpuUsPerRequest, eventsPerWait, ...one }) => ({
            ...{ ...one, cost: cpuUsPerRequest, perWake: eventsPerWait },
          })),
      ),
    ),
    ...others.rows,
  ];
  const zeroCopy = asked.includes('zerocopy')
    ? await zeroCopyBySize(options.quick, options.quick ? 1 : generations)
    : null;
  const waiting = asked.includes('waiting')
    ? await waitingOnEither(options.quick, options.quick ? 1 : generations)
    : null;
  console.log(`${protocol}, ${generations} generations, windows of ${windowMs} ms, 95 % intervals`);
  console.log(onCpus());
  if (comparisons.length > 0) console.log(comparisonTable(comparisons));
  if (map.length > 0) console.log(`where completion pays\n${mapTable(map)}`);
  if (zeroCopy !== null) console.log(`sending without copying, by size\n${zeroCopy.table}`);
  if (waiting !== null) console.log(`waiting for more at a time, on either\n${waiting.table}`);
  const record = { protocol, generations, rounds, windowMs, warmupMs, pinning, host: roles.server.facts };
  const elsewhere = roles.name === 'local' ? '' : roles.name;
  const file = saveRecord(
    `uring-${protocol}`,
    {
      ...record,
      comparisons,
      measurements,
      map,
      others: others.seen,
      zeroCopy: zeroCopy?.rows ?? [],
      waiting: waiting?.rows ?? [],
    },
    [elsewhere, options.only ?? ''].join(' '),
  );
  console.log(`saved in ${file}`);
}
await roles.close();
