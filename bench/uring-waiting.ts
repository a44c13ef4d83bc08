/**
 * What waiting for more at a time saves: servers on the completion engine that wait for a batch or a time, and servers on
 * epoll that sleep as long before each wait. Each is held against the same server that looks at once, and the ring against
 * an epoll that is equally late, so that nobody takes for the ring's what is the delay's.
 */
import Table from 'cli-table3';
import { waitingAxis } from '../src/experiments/waiting.js';
import { blockedRatio, type Interval } from '../src/statistics/interval.js';
import type { LoadTrial } from '../src/trials/load-window.js';
import { type Figures, together } from './field.js';
import { shown } from './lib.js';
import { servers } from './uring-map.js';

const impls = ['native', 'TypeScript'] as const;
const mechanisms = ['epoll', 'uring'] as const;

interface Contender {
  impl: (typeof impls)[number];
  mechanism: (typeof mechanisms)[number];
  /** microseconds that a wait lasts at least */
  leastWait: number;
}

interface WaitingRow extends Contender {
  connections: number;
  /** CPU time of a request over that of the same server that looks at once */
  cpu: Interval;
  /** requests a second, in the same way */
  throughput: Interval;
  /** CPU time of a request over that on an epoll that is equally late; null: it is that one */
  againstEpoll: Interval | null;
  eventsPerWait: number;
}

function trialOf({ impl, mechanism, leastWait }: Contender, connections: number): LoadTrial {
  const server = servers[`${impl} ${mechanism}`];
  return {
    kind: 'load',
    subject: {
      ...{ kind: 'dispatch', protocol: 'http', ...server },
      ...waitingAxis.asked({ leastWait }, server.backend),
    },
    processes: 1,
    idle: 0,
    windows: [{ name: 'closed', connections, rate: null, size: 64, warmupMs: 20, durationMs: 100 }],
    rounds: 6,
  };
}

const nameOf = ({ impl, mechanism, leastWait }: Contender) => `${impl} ${mechanism} ${leastWait}`;

export async function waitingOnEither(quick: boolean, generations: number) {
  const waits = quick ? [0, 200] : [0, 50, 200, 500];
  const field = impls.flatMap((impl) =>
    mechanisms.flatMap((mechanism) => waits.map((leastWait) => ({ impl, mechanism, leastWait }))),
  );
  const rows: WaitingRow[] = [];
  for (const connections of quick ? [100] : [100, 1000]) {
    const seen: { block: number; of: Map<string, Figures> }[] = [];
    for (let block = 0; block < generations; block++) {
      const figures = await together(
        field.map((one) => [nameOf(one), trialOf(one, connections)]),
        `waiting/${connections}/${block}`,
      );
      seen.push({ block, of: new Map(field.map((one, index) => [nameOf(one), figures[index]!])) });
      process.stderr.write(
        `\rwaiting, ${connections} connections: ${block + 1} of ${generations} generations `,
      );
    }
    process.stderr.write('\n');
    const ratio = (figure: 'cpuUsPerRequest' | 'throughput', top: Contender, bottom: Contender) => {
      const of = (one: Contender) =>
        seen.map(({ block, of: all }) => ({ block, value: all.get(nameOf(one))![figure] }));
      return blockedRatio(of(top), of(bottom));
    };
    for (const one of field.filter(({ leastWait }) => leastWait > 0)) {
      const atOnce = { ...one, leastWait: 0 };
      const told = seen.map(({ of }) => of.get(nameOf(one))!.eventsPerWait ?? 0);
      rows.push({
        ...{ ...one, connections },
        cpu: ratio('cpuUsPerRequest', one, atOnce),
        throughput: ratio('throughput', one, atOnce),
        againstEpoll:
          one.mechanism === 'epoll' ? null : ratio('cpuUsPerRequest', one, { ...one, mechanism: 'epoll' }),
        eventsPerWait: told.reduce((sum, value) => sum + value, 0) / told.length,
      });
    }
  }
  const table = new Table({
    head: [
      ...['connections', 'servers', 'on', 'waits', 'CPU, over at once', 'requests/s, over at once'],
      ...['CPU, over epoll as late', 'events a wait'],
    ],
    style: { head: [], border: [], compact: true },
  });
  for (const { connections, impl, mechanism, leastWait, cpu, throughput, ...row } of rows)
    table.push([
      ...[connections, impl, mechanism, `${leastWait} µs`, shown(cpu), shown(throughput)],
      ...[row.againstEpoll === null ? '' : shown(row.againstEpoll), row.eventsPerWait.toFixed(1)],
    ]);
  return { rows, table: table.toString() };
}
