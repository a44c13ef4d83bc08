/**
 * What does it cost to have somebody else's browser do the work? Source of the question: wasimoff (2024), a broker that hands
 * WebAssembly to browsers.
 *
 * Factors: who runs the tasks (pages of a browser or processes behind a broker; beside them Node's own WASI in worker threads and
 * a process for each task, neither with a broker), by what a page is connected (processes are by WebSocket), how long a task is,
 * how many providers there are and workers in each.
 */
import { z } from 'zod';
import { count, identifier } from '../contract/common.js';
import { offloadTasks, offloadTransports, offloadWays } from '../contract/offload.js';
import { missingBrowser, usualBrowser } from '../offload/browser.js';
import { missingSidecar } from '../offload/sidecar.js';
import { missingWorkload } from '../offload/workload.js';
import { wholeNumber } from '../options.js';
import { offloadStepIds } from '../trials/offload.js';
import { metric } from '../trials/registry.js';
import { experiment } from './experiment.js';
import { list, names } from './flags.js';

const cell = z.object({
  backend: z.null(),
  io: z.null(),
  impl: z.enum(offloadWays),
  /** null: there is no broker */
  transport: z.enum(offloadTransports).nullable(),
  task: identifier.pipe(z.enum(offloadTasks)),
  providers: count.min(1),
  workers: count.min(1),
});

const settings = z.strictObject({
  ways: z.array(z.enum(offloadWays)).min(1),
  /** of pages */
  transports: z.array(z.enum(offloadTransports)).min(1).default(['websocket']),
  tasks: z.array(z.enum(offloadTasks)).min(1),
  providers: z.array(count.min(1)).min(1),
  workers: z.array(count.min(1)).min(1),
  /** tasks under way for each worker */
  perWorker: count.min(1),
  warmupMs: count,
  durationMs: count.min(1),
});

type Transport = z.infer<typeof cell>['transport'];

const transportsOf = (
  way: (typeof offloadWays)[number],
  ofPages: readonly (typeof offloadTransports)[number][],
): readonly Transport[] => (way === 'browser' ? ofPages : way === 'process' ? ['websocket'] : [null]);

export const offload = experiment({
  id: 'offload',
  question: "What does it cost to have somebody else's browser do the work?",
  axis: '',
  cell,
  settings,
  factors: {
    transport: { name: 'transport' },
    task: { name: 'task' },
    providers: { name: 'providers' },
    workers: { name: 'workers of each' },
  },
  words: [],
  quick: false,
  profiles: ['quick', 'full'],
  flags: [
    {
      flags: '--ways <list>',
      description: `who runs the tasks: ${offloadWays.join(', ')}`,
      setting: 'ways',
      parse: names(offloadWays, 'way'),
      names: true,
    },
    {
      flags: '--transports <list>',
      description: `how pages are connected: ${offloadTransports.join(', ')}`,
      setting: 'transports',
      parse: names(offloadTransports, 'transport'),
    },
    {
      flags: '--tasks <list>',
      description: `tasks: ${offloadTasks.join(', ')}`,
      setting: 'tasks',
      parse: names(offloadTasks, 'task'),
    },
    {
      flags: '--providers <list>',
      description: 'numbers of providers, comma-separated',
      setting: 'providers',
      parse: list(wholeNumber(1, 100)),
    },
    {
      flags: '--workers <list>',
      description: 'numbers of workers of each provider, comma-separated',
      setting: 'workers',
      parse: list(wholeNumber(1, 64)),
    },
    {
      flags: '--per-worker <n>',
      description: 'tasks under way for each worker',
      setting: 'perWorker',
      parse: wholeNumber(1, 1000),
    },
  ],
  profile: (name) => ({
    ways: [...offloadWays],
    transports: [...offloadTransports],
    tasks: [...offloadTasks],
    providers: name === 'full' ? [1, 2, 4] : [1],
    workers: name === 'full' ? [1, 2] : [2],
    perWorker: 2,
    warmupMs: 500,
    durationMs: name === 'full' ? 10_000 : 2000,
  }),
  pace: (name) => (name === 'quick' ? { blocks: { min: 3, max: 5 }, budgetMs: 240_000 } : {}),
  cells: (chosen) =>
    chosen.ways.flatMap((impl) =>
      chosen.tasks
        .filter((task) => impl !== 'native' || task !== 'noop')
        .flatMap((task) =>
          transportsOf(impl, chosen.transports).flatMap((transport) =>
            chosen.providers.flatMap((providers) =>
              chosen.workers.map((workers) => ({
                backend: null,
                io: null,
                impl,
                transport,
                task,
                providers,
                workers,
              })),
            ),
          ),
        ),
    ),
  trial: ({ impl: way, transport, task, providers, workers }, { perWorker, warmupMs, durationMs }) => ({
    kind: 'offload',
    way,
    transport: transport ?? undefined,
    task,
    providers,
    workers,
    inFlight: perWorker * providers * workers,
    warmupMs,
    durationMs,
    missing:
      missingWorkload(task, way === 'native') ??
      (way === 'browser' ? missingBrowser(usualBrowser()) : null) ??
      (transport === 'webtransport' ? missingSidecar() : null) ??
      undefined,
  }),
  primary: ['offload-rate'],
  glance(sample) {
    const [rate, p50] = (['offload-rate', 'offload-p50'] as const).map((id) => metric(id).of(sample));
    return rate == null ? '' : `${rate.toFixed(1)} tasks/s, p50 ${p50?.toFixed(2) ?? '-'} ms`;
  },
  plots: [
    { kind: 'servers', metrics: ['offload-rate'], logY: true },
    { kind: 'servers', metrics: ['offload-p50', 'offload-p99'], logY: true },
    {
      kind: 'servers',
      metrics: offloadStepIds,
      logY: false,
    },
    { kind: 'servers', metrics: ['offload-trace'], logY: false },
  ],
  compared: [{ metric: 'offload-rate', scale: 'ratio' }],
  answers: [],
  modelled: [],
  closing: {
    rates: ['offload-rate'],
    costs: ['offload-p50', 'offload-p99', 'offload-wire', 'offload-worker', 'offload-run'],
  },
});
