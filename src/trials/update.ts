/**
 * A server whose content is exchanged again and again under an open loop: how long until the new one answers, and what its
 * clients notice of it. Each time a new file is renamed into place; how it comes to be served is the server's business.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { median, sum } from 'simple-statistics';
import { z } from 'zod';
import type { ForeignSubject } from '../contract/subject.js';
import { type Placements, placed, seen, updateResult, updaterReady } from '../contract/update.js';
import { validated } from '../contract/validated.js';
import { toOurs, toTheirs } from '../hosts/clock.js';
import { firstReplyBytes, updateLoadProgram, updaterProgram } from '../programs/update.js';
import { ofConnections } from '../stage/limits.js';
import { answerMs } from '../stage/patience.js';
import { interruptible, type Stage } from '../stage/stage.js';
import { quantileRanks } from '../statistics/percentiles.js';
import { invalid, warning } from './gates.js';
import { trialKind } from './kind.js';

/** In the command of the server: the file that is exchanged. */
const modulePlace = '{module}';

/** The clocks of two hosts have to be known this much better than what is measured between them. */
const clockShare = 0.05;

/** A restart that takes longer than this is none, milliseconds: a virtual machine boots in less, an emulated one as well. */
const longestMs = 120_000;

export interface UpdateTrial {
  kind: 'update';
  /** with `{module}` where its command names the file */
  subject: ForeignSubject & { protocol: 'http' | 'udp-echo' };
  /** what versions are made of; null: there is none */
  template: string | null;
  path: string;
  connections: number;
  rate: number;
  swaps: number;
  /** before the first exchange, and from when all connections had one until the next */
  restMs: number;
  windowMs: number;
  timeoutMs: number;
}

const updateMeasurement = z.object({
  kind: z.literal('update'),
  update: updateResult.omit({ event: true }),
  /** how exactly the clocks of server and client are known against each other; 0: they are one */
  clockBoundNs: z.number(),
});
type UpdateMeasurement = z.infer<typeof updateMeasurement>;

const failed = ({ update: { failures } }: UpdateMeasurement): number => sum(Object.values(failures));
const ms = (ns: number): number => ns / 1e6;

const p99 = (of: 'during' | 'steady') => (m: UpdateMeasurement) =>
  quantileRanks(m.update[of].count, 0.99) ? m.update[of].p99 / 1000 : null;
const [p99During, p99Steady] = [p99('during'), p99('steady')];

/** How often it is looked whether the server still runs, milliseconds. */
const lookMs = 100;

/** @throws Error in one sentence as soon as the server has ended: nobody would ever see a new version */
async function whileServed<T>(stage: Stage, work: Promise<T>): Promise<T> {
  for (;;) {
    const done = await Promise.race([work.then((value) => ({ value })), pause(lookMs)]);
    if (done) return done.value;
    const ended = stage.servers?.howEnded();
    if (ended) throw new Error(ended);
  }
}

/** @returns when each version was put in place, on the client's clock */
async function exchange(
  trial: UpdateTrial,
  stage: Stage,
  updater: Running,
  client: Running,
): Promise<Placements> {
  const placements: Placements = [];
  for (let version = 1; version <= trial.swaps; version++) {
    await pause(trial.restMs, undefined, { signal: stage.signal });
    updater.send(`put ${version}`);
    const { monotonicNs } = validated(placed, await updater.expect('placed', answerMs), 'the updater');
    client.send(`await ${version}`);
    const noticed = await whileServed(stage, client.expect('seen', longestMs));
    validated(seen, noticed, 'the client that notices versions');
    const ours = toOurs(await stage.roles.server.clock(), monotonicNs);
    placements.push({ version, ns: toTheirs(await stage.roles.client.clock(), ours) });
  }
  await pause(trial.restMs, undefined, { signal: stage.signal });
  return placements;
}

type Running = ReturnType<Stage['start']>;

export const update = trialKind({
  id: 'update',
  measurement: updateMeasurement,
  connects: 'freely',

  needs: ({ subject, connections }: UpdateTrial) => ofConnections(subject, connections),

  async carryOut(trial, stage, done) {
    const { subject, template, path, connections, rate, windowMs, timeoutMs } = trial;
    if (template === null) throw new Error(`${subject.name} takes no module that could be exchanged`);
    const updater = stage.start(
      'server',
      'the program that puts versions in place',
      updaterProgram(template),
    );
    const { file } = validated(updaterReady, await updater.expect('ready', answerMs), 'the updater');
    const servers = await stage.serve({
      ...subject,
      command: subject.command.map((word) => word.replaceAll(modulePlace, file)),
    });
    const cpus = [...stage.pinning.client];
    const target = servers.targets[0]!;
    const { protocol } = subject;
    const datagramBytes = firstReplyBytes + trial.swaps;
    const spec = { protocol, target, path, datagramBytes, connections, rate, timeoutMs, windowMs, cpus };
    const client = stage.client('the client that notices versions', updateLoadProgram(spec));
    await client.expect('ready', answerMs);
    await stage.watchNetwork();
    client.send('go');
    const placements = await interruptible(stage.signal, exchange(trial, stage, updater, client));
    client.send(`close ${JSON.stringify(placements)}`);
    const line = await client.expect('result', timeoutMs + answerMs);
    const { event: _, ...result } = validated(updateResult, line, "the client's result");
    const clocks = await Promise.all([stage.roles.server.clock(), stage.roles.client.clock()]);
    const clockBoundNs = sum(clocks.map(({ boundNs }) => boundNs));
    done('update', { kind: 'update', update: result, clockBoundNs });
  },

  gates(name, measurement) {
    const { update: result, clockBoundNs } = measurement;
    const first = Math.min(...result.swaps.map(({ firstNs }) => firstNs));
    return [
      ...(clockBoundNs > clockShare * first
        ? [
            invalid(
              'clocks-apart',
              `${name}: the clocks of both hosts are not known well enough for ${ms(first)} ms`,
            ),
          ]
        : []),
      ...(failed(measurement) > 0
        ? [warning('failed-replies', `${name}: ${failed(measurement)} of ${result.requests} requests failed`)]
        : []),
      ...(result.mixed > 0
        ? [
            warning(
              'mixed-versions',
              `${name}: ${result.mixed} replies were older than one that had come before`,
            ),
          ]
        : []),
    ];
  },

  metrics: [
    {
      id: 'update-first',
      title: 'Time to the first reply of a new version',
      unit: 'ms',
      better: 'lower',
      digits: 2,
      meaning:
        'From the new file being in place to the first reply of it, the median of the exchanges of a trial.',
      from: ['update'],
      of: ({ update: { swaps } }: UpdateMeasurement) => ms(median(swaps.map(({ firstNs }) => firstNs))),
    },
    {
      id: 'update-all',
      title: 'Time until every connection had the new version',
      unit: 'ms',
      better: 'lower',
      digits: 2,
      meaning: "The same to the last of the client's connections having had a reply of it.",
      from: ['update'],
      of: ({ update: { swaps } }: UpdateMeasurement) => ms(median(swaps.map(({ allNs }) => allNs))),
    },
    {
      id: 'update-worst',
      title: 'Longest time to the first reply of a new version',
      unit: 'ms',
      better: 'lower',
      digits: 2,
      meaning: '',
      from: ['update'],
      of: ({ update: { swaps } }: UpdateMeasurement) => ms(Math.max(...swaps.map(({ firstNs }) => firstNs))),
    },
    {
      id: 'update-failed',
      title: 'Failed requests for each exchange',
      unit: '',
      better: 'lower',
      digits: 2,
      meaning: 'Requests that were due and had no whole reply, whatever the client did about it later.',
      from: ['update'],
      of: (m: UpdateMeasurement) => failed(m) / m.update.swaps.length,
    },
    {
      id: 'update-mixed',
      title: 'Replies of an older version after a newer one, for each exchange',
      unit: '',
      better: 'lower',
      digits: 2,
      meaning: 'Replies to requests that left after a reply of a newer version had come.',
      from: ['update'],
      of: ({ update: { mixed, swaps } }: UpdateMeasurement) => mixed / swaps.length,
    },
    {
      id: 'update-p99-during',
      title: 'Latency p99 during an exchange',
      unit: 'µs',
      better: 'lower',
      digits: 0,
      meaning:
        'From the instant a request was due, of those due from the new file being in place until every connection had it, and for a tenth of a second at least. Failed requests have none.',
      from: ['update'],
      of: p99During,
    },
    {
      id: 'update-p99-steady',
      title: 'Latency p99 between exchanges',
      unit: 'µs',
      better: 'lower',
      digits: 0,
      meaning: '',
      from: ['update'],
      of: p99Steady,
    },
    {
      id: 'update-p99-growth',
      title: 'Latency p99 during an exchange over that between',
      unit: '',
      better: 'lower',
      digits: 2,
      meaning: '',
      from: ['update'],
      of: (m: UpdateMeasurement) => {
        const [during, steady] = [p99During(m), p99Steady(m)];
        return during === null || steady === null ? null : during / steady;
      },
    },
  ],

  served: () => null,
  distributions: ({ update: { during, steady } }) => ({ during, steady }),
  durationNs: ({ update: { elapsedNs } }) => elapsedNs,
});
