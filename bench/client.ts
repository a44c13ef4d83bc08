/**
 * What our load client costs and how exact it is, on the same machine, alternating trial by trial: requests per second of
 * client CPU against wrk (1 thread, 100 connections, the same native HTTP server), send lag of an open loop at 20 000
 * requests per second, and 18 000 idle connections: time to stand and memory on either side. Linux only.
 *
 *     npm run bench:client [-- --quick] [-- --trials N]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { idleStatus } from '../src/contract/idle.js';
import { loadResult } from '../src/contract/load.js';
import type { DispatchSubject } from '../src/contract/subject.js';
import { validated } from '../src/contract/validated.js';
import type { HostProcess } from '../src/hosts/host.js';
import { readFact } from '../src/hosts/linux-facts.js';
import { type Command, commandOf } from '../src/hosts/program.js';
import { sourceAddresses } from '../src/load/limits.js';
import type { HostPort } from '../src/options.js';
import { idleProgram } from '../src/programs/idle.js';
import { loadProgram } from '../src/programs/load.js';
import { onStage } from '../src/stage/on-stage.js';
import type { Servers } from '../src/stage/servers.js';
import { type Interval, meanInterval, ratioInterval } from '../src/statistics/interval.js';
import { randomFrom, shuffled } from '../src/statistics/random.js';
import { onCpus, pinning, roles, site } from './here.js';
import { cpuSeconds, saveRecord, shown, verdict } from './lib.js';

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, trials: { type: 'string' } },
});
const trials = Number(options.trials ?? (options.quick ? 2 : 10));
const windowS = options.quick ? 0.5 : 3;
const settleS = 1;
const connections = 100;
const openRate = 20_000;
const idleConnections = 18_000;
const patienceMs = 60_000;

/** Runs `work` against a fresh server, which ends whatever happens. */
const withServer = <T>(
  server: Pick<DispatchSubject, 'protocol' | 'impl'>,
  work: (servers: Servers) => Promise<T>,
): Promise<T> =>
  onStage(site, async (stage) => {
    const io = server.impl === 'ts' ? 'batch' : null;
    return work(await stage.serve({ kind: 'dispatch', backend: 'epoll', io, ...server }));
  });

/** Both clients are started in the same way: theirs is no program of ours. */
async function withClient<T>(
  name: string,
  command: Command,
  work: (client: HostProcess) => Promise<T>,
): Promise<T> {
  const client = roles.client.spawn(name, command);
  try {
    return await work(client);
  } finally {
    await client.end(2000);
  }
}

/** User memory of a process, bytes. */
function anonymousBytes(pid: number): number {
  const kilobytes = readFact(`/proc/${pid}/status`)?.match(/^RssAnon:\s+(\d+) kB/m)?.[1];
  if (!kilobytes) throw new Error('the system does not tell the memory of a process (RssAnon)');
  return 1024 * Number(kilobytes);
}

const seconds = settleS + windowS + 2;
const clients: Record<'ours' | 'wrk', (port: number) => Command> = {
  ours: (port) =>
    commandOf(
      loadProgram({
        protocol: 'http',
        target: { host: '127.0.0.1', port },
        connections,
        rate: null,
        durationS: seconds,
        warmupS: 0,
        cpus: pinning.client,
        control: false,
      }),
    ),
  wrk: (port) => ({
    command: 'taskset',
    args: [
      ...['--cpu-list', pinning.client.join(',')],
      ...['wrk', '--threads', '1', '--connections', `${connections}`, '--duration', `${Math.ceil(seconds)}s`],
      `http://127.0.0.1:${port}/`,
    ],
  }),
};

interface Closed {
  client: 'ours' | 'wrk';
  requestsPerSecond: number;
  requestsPerCpuSecond: number;
  clientBusy: number;
}

/** Both clients are judged alike, from outside: the server's count of requests, the kernel's count of CPU time. */
function closedLoop(client: 'ours' | 'wrk'): Promise<Closed> {
  return withServer({ protocol: 'http', impl: 'native' }, (servers) =>
    withClient(client, clients[client](servers.hellos[0]!.port), async ({ pid }) => {
      await sleep(1000 * settleS);
      const read = async () => ({
        at: performance.now() / 1000,
        cpu: cpuSeconds(pid),
        requests: (await servers.snapshot()).requests!,
      });
      const before = await read();
      await sleep(1000 * windowS);
      const after = await read();
      const requests = after.requests - before.requests;
      const cpu = after.cpu - before.cpu;
      const wall = after.at - before.at;
      if (requests === 0 || cpu === 0) throw new Error(`${client} sent nothing`);
      return {
        client,
        requestsPerSecond: requests / wall,
        requestsPerCpuSecond: requests / cpu,
        clientBusy: cpu / wall,
      };
    }),
  );
}

function openLoop() {
  return withServer({ protocol: 'http', impl: 'native' }, async ({ targets }) => {
    const program = loadProgram({
      protocol: 'http',
      target: targets[0]!,
      connections,
      rate: openRate,
      durationS: windowS,
      warmupS: settleS,
      cpus: pinning.client,
      control: false,
    });
    return withClient('load', commandOf(program), async (client) => {
      const result = validated(loadResult, await client.expect('result', patienceMs), 'the load client');
      const { p50, p99, p999 } = result.sendLag!;
      const { saturation, client: figures } = result;
      return { p50, p99, p999, latencyP99: result.latency.p99, pacer: figures.pacer, saturation };
    });
  });
}

/** Standing time, and user memory per connection of the holder and of the server. */
function idleHold(impl: 'native' | 'ts') {
  return withServer({ protocol: 'tcp-echo', impl }, async (servers) => {
    const [target] = servers.targets as [HostPort];
    const { pid } = servers.hellos[0]!;
    const hold = (count: number, sources: string[]) =>
      withClient(
        'idle',
        commandOf(idleProgram({ target, connections: count, cpus: pinning.client }, sources)),
        async (holder) => {
          const line = await holder.expect('standing', patienceMs);
          const { elapsedNs } = validated(idleStatus, line, 'the idle holder');
          // The server may still be accepting what already stands on this side.
          await servers.count(count);
          return {
            elapsedS: elapsedNs! / 1e9,
            holder: anonymousBytes(holder.pid),
            server: anonymousBytes(pid),
          };
        },
      );
    const one = await hold(1, []);
    const all = await hold(idleConnections, sourceAddresses(target.host, idleConnections));
    return {
      server: impl,
      elapsedS: all.elapsedS,
      holderBytes: (all.holder - one.holder) / (idleConnections - 1),
      serverBytes: (all.server - one.server) / (idleConnections - 1),
    };
  });
}

/** `trials` results of each contender, alternating. */
async function alternate<C extends string, T>(
  label: string,
  field: readonly C[],
  measure: (contender: C) => Promise<T>,
): Promise<Record<C, T[]>> {
  const all = Object.fromEntries(field.map((contender) => [contender, [] as T[]])) as Record<C, T[]>;
  const random = randomFrom(label);
  for (let block = 1; block <= trials; block++) {
    for (const contender of shuffled(field, random)) {
      process.stderr.write(`\r\x1b[K${label}: block ${block} of ${trials}, ${contender}`);
      all[contender].push(await measure(contender));
    }
  }
  process.stderr.write('\r\x1b[K');
  return all;
}

if (process.platform !== 'linux') throw new Error('bench:client reads /proc: it runs on Linux only');
const closed = await alternate('closed loop', ['ours', 'wrk'] as const, closedLoop);
const open = (await alternate('open loop', ['ours'] as const, openLoop)).ours;
const idle = await alternate('idle', ['native', 'ts'] as const, idleHold);

const table = new Table({
  head: ['figure', 'mean [95 %]', 'bar', ''],
  style: { head: [], border: [], compact: true },
});
const of = <T>(rows: T[], pick: (row: T) => number) => rows.map(pick);
const row = (
  name: string,
  interval: Interval,
  digits: number,
  bar: number | null,
  side: 'least' | 'most',
) => {
  const sign = side === 'least' ? '>=' : '<=';
  table.push([
    name,
    shown(interval, digits),
    bar === null ? '' : `${sign} ${bar}`,
    verdict(interval, bar, side),
  ]);
};
const perCpu = (rows: Closed[]) => of(rows, (one) => one.requestsPerCpuSecond);
const perSecond = (rows: Closed[]) => of(rows, (one) => one.requestsPerSecond);
row(
  'requests per CPU second, ours / wrk',
  ratioInterval(perCpu(closed.ours), perCpu(closed.wrk)),
  3,
  1.1,
  'least',
);
row(
  'requests per second, ours / wrk',
  ratioInterval(perSecond(closed.ours), perSecond(closed.wrk)),
  3,
  null,
  'least',
);
for (const name of ['ours', 'wrk'] as const) {
  row(`requests per CPU second, ${name}`, meanInterval(perCpu(closed[name])), 0, null, 'least');
  row(
    `busy share of its CPU, ${name}`,
    meanInterval(of(closed[name], (one) => one.clientBusy)),
    2,
    null,
    'most',
  );
}
row(`send lag p50 at ${openRate}/s, us`, meanInterval(of(open, ({ p50 }) => p50 / 1000)), 2, null, 'most');
row(`send lag p99 at ${openRate}/s, us`, meanInterval(of(open, ({ p99 }) => p99 / 1000)), 1, 50, 'most');
for (const [impl, rows] of Object.entries(idle)) {
  const name = `${idleConnections} idle, ${impl} server:`;
  row(`${name} time to stand, s`, meanInterval(of(rows, ({ elapsedS }) => elapsedS)), 2, 2, 'most');
  row(`${name} holder bytes each`, meanInterval(of(rows, ({ holderBytes }) => holderBytes)), 0, 300, 'most');
  row(`${name} server bytes each`, meanInterval(of(rows, ({ serverBytes }) => serverBytes)), 0, 300, 'most');
}
console.log(`${trials} trials, windows of ${windowS} s; ${onCpus()}`);
console.log(table.toString());
const host = roles.server.facts;
console.log(
  `saved in ${saveRecord('client', { trials, windowS, settleS, pinning, host, closed, open, idle })}`,
);
await roles.close();
