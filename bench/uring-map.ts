/**
 * Where completion pays: servers on the completion engine against ours on epoll, by kind of work. Each case says what a
 * request, a datagram or an idle connection costs, and how many messages one wake-up brings.
 */
import Table from 'cli-table3';
import type { DispatchSubject } from '../src/contract/subject.js';
import { runTrial } from '../src/run/trial.js';
import { blockedDifference, blockedRatio, type Interval } from '../src/statistics/interval.js';
import { randomFrom, shuffled } from '../src/statistics/random.js';
import type { LoadTrial } from '../src/trials/load-window.js';
import { metric, type TrialSpec } from '../src/trials/registry.js';
import { together } from './field.js';
import { pinning, roles, site } from './here.js';
import { shown } from './lib.js';

export type ServerOf = Pick<DispatchSubject, 'impl' | 'io' | 'backend' | 'engineOptions'>;

export const servers = {
  'native epoll': { impl: 'native', io: null, backend: 'epoll' },
  'native uring': { impl: 'native', io: null, backend: 'uring' },
  'TypeScript epoll': { impl: 'ts', io: 'batch', backend: 'epoll' },
  'TypeScript uring': { impl: 'ts', io: 'batch', backend: 'uring' },
} as const satisfies Record<string, ServerOf>;
type ServerName = keyof typeof servers;
const names = Object.keys(servers) as ServerName[];

/** What one server came to in one generation. */
export interface Seen {
  contender: string;
  generation: number;
  /** microseconds of CPU, or bytes */
  cost: number;
  /** messages that a wake-up brought; null where nothing is served */
  perWake: number | null;
}

export interface MapRow {
  case: string;
  unit: string;
  impl: string;
  epoll: number;
  uring: number;
  /** uring / epoll, or of bytes, which may be none, uring - epoll */
  compared: Interval;
  perWake: { epoll: number | null; uring: number | null };
}

const bytes = 'B';
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const impls = ['native', 'TypeScript'] as const;
type Impl = (typeof impls)[number];

/** The rows of a case: one of each implementation. */
export function rowsOf(
  name: string,
  unit: string,
  seen: readonly Seen[],
  shownOf: readonly Impl[] = impls,
): MapRow[] {
  return shownOf.map((impl) => {
    const of = (mechanism: string) => seen.filter(({ contender }) => contender === `${impl} ${mechanism}`);
    const blocked = (mechanism: string) =>
      of(mechanism).map(({ generation, cost }) => ({ block: generation, value: cost }));
    const perWake = (mechanism: string) => {
      const told = of(mechanism).flatMap(({ perWake: one }) => one ?? []);
      return told.length === 0 ? null : mean(told);
    };
    const cost = (mechanism: string) => mean(of(mechanism).map(({ cost: one }) => one));
    return {
      case: name,
      unit,
      impl,
      epoll: cost('epoll'),
      uring: cost('uring'),
      compared: (unit === bytes ? blockedDifference : blockedRatio)(blocked('uring'), blocked('epoll')),
      perWake: { epoll: perWake('epoll'), uring: perWake('uring') },
    };
  });
}

interface Figure {
  name: string;
  unit: string;
  metric: Parameters<typeof metric>[0];
  impls?: readonly Impl[];
}

interface Case {
  id: string;
  figures: readonly Figure[];
  /** @returns by figure */
  one(generation: number): Promise<Seen[][]>;
}

const told = (name: string, generations: number) => (generation: number) =>
  process.stderr.write(
    `\r${name}: ${generation} of ${generations} generations ${generation === generations ? '\n' : ''}`,
  );

/** A case whose servers have a trial of their own each, in a shuffled order. */
const inTurn = (id: string, figures: readonly Figure[], spec: (server: ServerOf) => TrialSpec): Case => ({
  id,
  figures,
  async one(generation) {
    const seen: Seen[][] = figures.map(() => []);
    for (const contender of shuffled(names, randomFrom(`uring/${id}/${generation}`))) {
      const context = { roles, pinning, earlier: [], signal: site.signal };
      const trial = await runTrial(spec(servers[contender]), context);
      for (const [index, { metric: cost }] of figures.entries()) {
        const value = metric(cost).of(trial);
        if (trial.error !== null || value === null) throw new Error(`${contender}: ${trial.error}`);
        const perWake = metric('events-per-wait').of(trial);
        seen[index]!.push({ contender, generation, cost: value, perWake });
      }
    }
    return seen;
  },
});

/** Cases beside the closed loops of TCP, which uring.ts has with more servers. */
function cases(quick: boolean): Case[] {
  const idle = quick ? 200 : 4000;
  const ports = quick ? 10 : 100;
  const durationMs = quick ? 200 : 1000;
  const idleTrial = (server: ServerOf): LoadTrial => ({
    kind: 'load',
    subject: { kind: 'dispatch', protocol: 'http', ...server },
    processes: 1,
    idle,
    windows: [{ name: 'closed', connections: 100, rate: null, size: 64, warmupMs: 20, durationMs: 100 }],
    rounds: quick ? 1 : 6,
  });
  return [
    inTurn(
      'udp',
      [{ name: `UDP, ${ports} ports, 64 unanswered`, unit: 'µs a datagram', metric: 'cpu-per-request' }],
      (server) => ({
        kind: 'datagrams',
        subject: { kind: 'dispatch', protocol: 'udp-echo', ports, ...server },
        ...{ keepAwake: false, rate: null, window: 64, size: 64, warmupMs: 100, durationMs },
      }),
    ),
    {
      id: 'idle',
      figures: [
        {
          name: `TCP, 100 connections beside ${idle} idle ones`,
          ...{ unit: 'µs a request', metric: 'cpu-per-request' },
        },
      ],
      async one(generation) {
        const figures = await together(
          names.map((name) => [name, idleTrial(servers[name])]),
          `uring/idle/${generation}`,
        );
        return [
          figures.map(({ cpuUsPerRequest, eventsPerWait }, index) => ({
            ...{ contender: names[index]!, generation, cost: cpuUsPerRequest, perWake: eventsPerWait },
          })),
        ];
      },
    },
    inTurn(
      'memory',
      [
        // The heap of V8 moves by more than connections take.
        {
          name: `server's memory for one of ${idle} idle connections`,
          unit: bytes,
          metric: 'server-memory',
          impls: ['native'],
        },
        { name: `kernel's memory for its end of one`, unit: bytes, metric: 'kernel-memory' },
      ],
      (server) => ({ kind: 'standing', subject: { kind: 'dispatch', protocol: 'http', ...server }, idle }),
    ),
  ];
}

export const caseIds = cases(true).map(({ id }) => id);

/** @param asked ids of the cases to measure */
export async function otherRows(
  asked: readonly string[],
  quick: boolean,
  generations: number,
): Promise<{ rows: MapRow[]; seen: Record<string, Seen[]> }> {
  const rows: MapRow[] = [];
  const all: Record<string, Seen[]> = {};
  for (const { id, figures, one } of cases(quick)) {
    if (!asked.includes(id)) continue;
    const progress = told(figures[0]!.name, generations);
    const seen: Seen[][] = figures.map(() => []);
    for (let generation = 0; generation < generations; generation++) {
      for (const [index, some] of (await one(generation)).entries()) seen[index]!.push(...some);
      progress(generation + 1);
    }
    for (const [index, { name, unit, metric: cost, impls: shownOf }] of figures.entries()) {
      all[`${id}/${cost}`] = seen[index]!;
      rows.push(...rowsOf(name, unit, seen[index]!, shownOf));
    }
  }
  return { rows, seen: all };
}

/** Said of the whole interval, of a ratio against 1, of a difference against 0. */
function answer({ low, high }: Interval, equal: number): string {
  if (high !== null && high < equal) return 'pays';
  return low !== null && low > equal ? 'costs' : 'no difference shown';
}

export function mapTable(rows: readonly MapRow[]): string {
  const table = new Table({
    head: [
      'where',
      'servers',
      'epoll',
      'uring',
      '',
      'uring / epoll, or - epoll',
      'completion',
      'messages a wake-up',
    ],
    style: { head: [], border: [], compact: true },
  });
  const figure = (value: number) => value.toFixed(value < 100 ? 2 : 0);
  for (const { case: where, impl, epoll, uring, unit, compared, perWake } of rows) {
    table.push([
      ...[where, impl, figure(epoll), figure(uring), unit],
      shown(compared, unit === bytes ? 0 : 3),
      answer(compared, unit === bytes ? 0 : 1),
      perWake.epoll === null || perWake.uring === null
        ? ''
        : `${perWake.epoll.toFixed(1)} / ${perWake.uring.toFixed(1)}`,
    ]);
  }
  return table.toString();
}
