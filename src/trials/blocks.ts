/**
 * A sequence of transfers over a link whose rate changes meanwhile, block by block until the time is over: with as many streams in
 * each as were asked for, or as a prediction of the link's bandwidth asks for. `adaptive` is one transfer of the same length,
 * within which the number changes. What tcp_info says of the sockets is recorded, and every predictor is judged on that.
 */
import { z } from 'zod';
import { type BackendName, count } from '../contract/common.js';
import { type LinkCourse, linkCourse } from '../contract/link.js';
import { adaptive, planned } from '../contract/transfer.js';
import { watchSockets } from '../hosts/sockets.js';
import { fewestJudged, type Judged, judgeAll, judgedFrom } from '../planner/prediction/contest.js';
import { chosen } from '../planner/prediction/methods.js';
import { courseOf } from '../planner/prediction/series.js';
import { positive } from '../planner/prediction/walk-forward.js';
import { type Decision, StreamPlanner } from '../planner/streams.js';
import { alongCourse } from '../stage/course.js';
import { onStage, type Site } from '../stage/on-stage.js';
import type { Stage } from '../stage/stage.js';
import { transfer as transferOn } from '../stage/transfer.js';
import { bulkWords } from './bulk-words.js';
import { invalid } from './gates.js';
import { trialKind } from './kind.js';

export const blockChoice = z.enum([adaptive, planned]);

export interface BlocksTrial {
  kind: 'blocks';
  /** of every block; the most where they are chosen */
  streams: number;
  /** who chooses them; null: nobody */
  choice: z.infer<typeof blockChoice> | null;
  chunk: number;
  congestion: string;
  backend: BackendName;
  blockMs: number;
  /** no block begins after this */
  durationMs: number;
  course: LinkCourse;
  seed: number;
}

/** Of a course, and of what is recorded: predictors are judged on values of so many milliseconds. */
const stepMs = 100;
/** Of a block, until its connections have found their pace. */
const settleMs = 200;

const recordedSeries = z.object({
  intervalMs: count.min(1),
  /** bits per second that arrived, interval by interval, without those in which connections were set up */
  goodput: z.array(z.number().nonnegative()),
  /** as the kernel estimates it, at the end of each */
  deliveryRate: z.array(z.number().nonnegative()),
});

export const blocksMeasurement = z.object({
  kind: z.literal('blocks'),
  streams: count.min(1),
  choice: blockChoice.nullable(),
  course: linkCourse,
  seed: count,
  blockMs: count.min(1),
  durationMs: count.min(1),
  congestion: z.string(),
  blocks: z
    .array(
      z.object({
        /** since the first one began */
        atMs: z.number().nonnegative(),
        streams: count.min(1),
        /** bits per second that its streams were to fill; null: nobody said */
        expected: z.number().nonnegative().nullable(),
        bytes: count,
        wallNs: count,
        /** of both ends */
        cpuUs: z.number().nonnegative(),
        /** segments sent again; null where the system does not tell */
        resent: count.nullable(),
      }),
    )
    .min(1),
  recorded: recordedSeries,
  /** every predictor on the goodput that was recorded; null: it is too short to judge one that is trained on it */
  predictors: z
    .array(z.object({ id: z.string(), error: z.number().nonnegative(), cpuUs: z.number().nonnegative() }))
    .nullable(),
});
export type BlocksMeasurement = z.infer<typeof blocksMeasurement>;

function judged(goodput: readonly number[]): Judged[] | null {
  if (goodput.length < fewestJudged) return null;
  const cpuUs = () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  };
  return judgeAll(positive(goodput), judgedFrom, 1, cpuUs);
}

async function carryOut(spec: BlocksTrial, stage: Stage): Promise<BlocksMeasurement> {
  const { streams, choice, chunk, congestion, backend, durationMs, course, seed } = spec;
  const planner = choice === planned ? new StreamPlanner(chosen.make(seed), streams) : null;
  const blockMs = choice === adaptive ? durationMs : spec.blockMs;
  const blocks: BlocksMeasurement['blocks'] = [];
  const recorded: BlocksMeasurement['recorded'] = { intervalMs: stepMs, goodput: [], deliveryRate: [] };
  const began = performance.now();
  const elapsedMs = () => performance.now() - began;
  while (blocks.length === 0 || elapsedMs() < durationMs) {
    const atMs = elapsedMs();
    const decision: Decision = planner?.next() ?? { streams, expected: null };
    const sent = { streams: decision.streams, chunk, congestion, backend, checked: true };
    let watched: ReturnType<typeof watchSockets> = Promise.resolve([]);
    const ours = await transferOn(
      stage,
      { ...sent, way: 'copy', adaptive: choice === adaptive, length: { durationMs: blockMs } },
      (port) => {
        const span = { intervalMs: stepMs, settleMs, lastsMs: blockMs };
        watched = watchSockets(stage.host('client'), port, span);
        // Of a transfer that fails nobody waits for it.
        watched.catch(() => {});
      },
    );
    const seen = await watched;
    planner?.observe(seen);
    recorded.goodput.push(...seen.map(({ goodput }) => goodput));
    recorded.deliveryRate.push(...seen.map(({ deliveryRate }) => deliveryRate));
    const { sender, receiver } = ours;
    blocks.push({
      atMs,
      ...decision,
      bytes: sender.bytes,
      wallNs: sender.wallNs,
      cpuUs: [sender, receiver].reduce((sum, { cpu }) => sum + cpu.userUs + cpu.systemUs, 0),
      resent: ours.streams.retransmits?.reduce((sum, one) => sum + one, 0) ?? null,
    });
    await stage.endAll();
  }
  return {
    kind: 'blocks',
    ...{ streams, choice, course, seed, blockMs, durationMs, congestion, blocks, recorded },
    predictors: judged(recorded.goodput),
  };
}

const sumOf = (
  { blocks }: Pick<BlocksMeasurement, 'blocks'>,
  of: (block: BlocksMeasurement['blocks'][number]) => number,
) => blocks.reduce((sum, block) => sum + of(block), 0);

/** Bytes per second, over the time in which blocks were under way. */
export const blocksRate = (measured: Pick<BlocksMeasurement, 'blocks'>): number =>
  sumOf(measured, ({ bytes }) => bytes) / (sumOf(measured, ({ wallNs }) => wallNs) / 1e9);

const megabyte = 1e6;

export const blocks = trialKind({
  id: 'blocks',
  measurement: blocksMeasurement,
  connects: 'freely',

  needs: ({ streams, backend }: BlocksTrial) => ({
    backend,
    byNode: false,
    perProcess: streams,
    what: 'streams',
    connections: streams,
    active: streams,
  }),

  async carryOut(spec, stage, done) {
    await stage.watchNetwork();
    const { course, seed, durationMs } = spec;
    // The last block goes on when the time is over: the course begins anew only long after.
    const steps = Math.ceil((2 * durationMs) / stepMs);
    const work = () => carryOut(spec, stage);
    done(
      'blocks',
      course === 'steady'
        ? await work()
        : await alongCourse(stage, courseOf(course, steps, seed), stepMs, work),
    );
  },

  gates: (name, measurement) =>
    sumOf(measurement, ({ bytes }) => bytes) === 0
      ? [invalid('no-bytes', `${name}: no byte of data arrived`)]
      : [],

  metrics: [
    {
      ...bulkWords.rate,
      meaning: 'Bytes of all blocks over the time in which blocks were under way.',
      from: ['blocks'],
      of: (one: BlocksMeasurement) => blocksRate(one) / megabyte,
    },
    {
      ...bulkWords.cpu,
      meaning: 'CPU time of sender and receiver together, with the checksums.',
      from: ['blocks'],
      of: (one: BlocksMeasurement) =>
        sumOf(one, ({ cpuUs }) => cpuUs) / 1e6 / (sumOf(one, ({ bytes }) => bytes) / 1e9),
    },
    {
      ...bulkWords.resent,
      from: ['blocks'],
      of: (one: BlocksMeasurement) =>
        one.blocks.some(({ resent }) => resent === null)
          ? null
          : sumOf(one, ({ resent }) => resent!) / (sumOf(one, ({ bytes }) => bytes) / megabyte),
    },
    {
      id: 'block-streams',
      title: 'Streams of a block, mean',
      unit: '',
      better: 'neither',
      digits: 1,
      meaning: 'Of those that stood: of a number that changes within a transfer, the most.',
      from: ['blocks'],
      of: (one: BlocksMeasurement) => sumOf(one, ({ streams }) => streams) / one.blocks.length,
    },
  ],

  served: () => null,
  distributions: () => ({}),
  durationNs: (one) => sumOf(one, ({ wallNs }) => wallNs),
});

/** One sequence, without a run around it. @throws Error in one sentence when it cannot be measured */
export function blocksOnce(trial: BlocksTrial, site: Site): Promise<BlocksMeasurement> {
  return onStage(site, async (stage) => {
    let measured: BlocksMeasurement | undefined;
    await blocks.carryOut(trial, stage, (_, one) => {
      measured = one;
    });
    return measured!;
  });
}
