/**
 * A server's start: from asking for its process to its first valid reply, seen by a client that was there before and asks
 * without a pause. There is no load and no window.
 */

import { z } from 'zod';
import { count } from '../contract/common.js';
import { gatewayLine } from '../contract/gateway.js';
import { snapshotBody, told } from '../contract/server.js';
import { firstReply } from '../contract/start.js';
import type { Subject } from '../contract/subject.js';
import { validated } from '../contract/validated.js';
import { toOurs } from '../hosts/clock.js';
import { monotonicNs } from '../process.js';
import { firstReplyProgram } from '../programs/first-reply.js';
import { ofSubject } from '../stage/limits.js';
import { answerMs } from '../stage/patience.js';
import type { Servers } from '../stage/servers.js';
import type { Stage } from '../stage/stage.js';
import { invalid, percent } from './gates.js';
import { trialKind } from './kind.js';

/** The clocks of two hosts have to be known this much better than what is measured between them. */
const clockShare = 0.05;

export interface StartTrial {
  kind: 'start';
  subject: Subject;
  /** where it has to listen, because its client must know before; outside the ports that systems give away */
  port: number;
  /** who asks: a client of ours without a pause, or curl every 10 ms, as others measure it; left out: ours */
  asking?: 'steadily' | 'curl';
  /** it is a gateway, which tells when it did what (src/contract/gateway.ts) */
  tellsPhases?: boolean;
}

/** Nanoseconds from asking the host for the process until each was done, in the order of time. */
const phases = z.object({
  /** the command was run */
  exec: z.number(),
  main: z.number(),
  bound: z.number(),
  compiled: z.number().nullable(),
  instantiated: z.number().nullable(),
  listening: z.number(),
});
type Phases = z.infer<typeof phases>;

const startMeasurement = z.object({
  kind: z.literal('start'),
  /** from asking the host for the process to its first reply being whole, nanoseconds */
  firstReplyNs: z.number(),
  /** the same to its saying that it listens, as the runner saw it */
  helloNs: z.number(),
  /** requests until then */
  attempts: count,
  /** what it says it did until then; left out: it tells nothing */
  phases: phases.optional(),
  /** how exactly the clocks of runner and client are known against each other; 0: they are one */
  clockBoundNs: z.number(),
  /** what the server had used by then */
  after: snapshotBody,
});
type StartMeasurement = z.infer<typeof startMeasurement>;

/** @param startedNs when its process was asked for, on our clock */
async function saidPhases(stage: Stage, servers: Servers, startedNs: number): Promise<Phases | undefined> {
  const [line] = servers.hellos;
  if (line?.subject !== 'foreign' || line.startedNs === undefined) return undefined;
  const { text } = validated(told, await servers.told(), 'what the gateway told');
  const { phases: theirs } = validated(gatewayLine, JSON.parse(text), "the gateway's line");
  const clock = await stage.roles.server.clock();
  const since = (ns: number) => toOurs(clock, ns) - startedNs;
  return {
    exec: since(line.startedNs),
    main: since(theirs.main),
    bound: since(theirs.bound),
    compiled: theirs.compiled === null ? null : since(theirs.compiled),
    instantiated: theirs.instantiated === null ? null : since(theirs.instantiated),
    listening: since(theirs.listening),
  };
}

/** Milliseconds of one phase: from the one that ended before it, whichever that was. */
function phaseMs(
  { phases: said, firstReplyNs }: StartMeasurement,
  name: keyof Phases | 'reply',
): number | null {
  if (!said) return null;
  const ends = Object.entries({ ...said, reply: firstReplyNs }).filter(
    (entry): entry is [keyof Phases | 'reply', number] => entry[1] !== null,
  );
  ends.sort((a, b) => a[1] - b[1]);
  const at = ends.findIndex(([phase]) => phase === name);
  return at < 0 ? null : (ends[at]![1] - (ends[at - 1]?.[1] ?? 0)) / 1e6;
}

const phaseTitles = {
  exec: 'Start: until the command runs',
  main: 'Start: loading the program',
  compiled: 'Start: compiling the module',
  instantiated: 'Start: making an instance',
  bound: 'Start: until it is bound',
  listening: 'Start: until it listens',
  reply: 'Start: from listening to the first reply',
} as const;

const phaseMetric = <const Phase extends keyof typeof phaseTitles>(phase: Phase) =>
  ({
    id: `start-${phase}`,
    title: phaseTitles[phase],
    unit: 'ms',
    better: 'lower',
    digits: 2,
    meaning: '',
    from: ['start'],
    of: (m: StartMeasurement) => phaseMs(m, phase),
  }) as const;

export const start = trialKind({
  id: 'start',
  measurement: startMeasurement,
  connects: 'freely',

  needs({ subject }: StartTrial) {
    const ports = subject.ports ?? 1;
    return {
      ...ofSubject(subject),
      perProcess: ports,
      what: 'ports',
      connections: 1,
      active: 1,
    };
  },

  async carryOut({ subject, port, asking = 'steadily', tellsPhases = false }, stage, done) {
    const target = { host: stage.address, port };
    const client = stage.client(
      'the client that waits',
      firstReplyProgram({ protocol: subject.protocol, target, cpus: stage.pinning.client, asking }),
    );
    await client.expect('ready', answerMs);
    await stage.watchNetwork();
    let startedNs = 0;
    const servers = await stage.serve(subject, {
      port,
      started: () => {
        startedNs = monotonicNs();
      },
    });
    const helloNs = monotonicNs() - startedNs;
    const line = await client.expect('first-reply', answerMs);
    const { monotonicNs: theirNs, attempts } = validated(firstReply, line, "the client's first reply");
    const clock = await stage.roles.client.clock();
    const said = tellsPhases ? await saidPhases(stage, servers, startedNs) : undefined;
    done('start', {
      kind: 'start',
      firstReplyNs: toOurs(clock, theirNs) - startedNs,
      helloNs,
      attempts,
      ...(said ? { phases: said } : {}),
      clockBoundNs: clock.boundNs,
      after: await servers.snapshot(),
    });
  },

  gates: (name, { firstReplyNs, attempts, clockBoundNs }) => [
    ...(attempts === 1
      ? [
          invalid(
            'answered-before-start',
            `${name}: the first request was answered, so a server was there before`,
          ),
        ]
      : []),
    ...(clockBoundNs > clockShare * firstReplyNs
      ? [
          invalid(
            'clocks-apart',
            `${name}: the clocks of both hosts are known to ${percent((2 * clockBoundNs) / firstReplyNs)} of the time measured`,
          ),
        ]
      : []),
  ],

  metrics: [
    {
      id: 'first-reply',
      title: 'Time to the first reply',
      unit: 'ms',
      better: 'lower',
      digits: 2,
      meaning:
        'From asking for the process to its first whole reply, seen by a client that was already asking. What is started (a program, a runtime, a container) is all in it.',
      from: ['start'],
      of: ({ firstReplyNs }: StartMeasurement) => firstReplyNs / 1e6,
    },
    {
      id: 'start-to-reply',
      title: 'Time from exec to the first reply',
      unit: 'ms',
      better: 'lower',
      digits: 2,
      meaning: 'From the instant its command was run; what the suite needs to get there is left out.',
      from: ['start'],
      of: ({ phases: said, firstReplyNs }: StartMeasurement) =>
        said ? (firstReplyNs - said.exec) / 1e6 : null,
    },
    phaseMetric('exec'),
    phaseMetric('main'),
    phaseMetric('compiled'),
    phaseMetric('instantiated'),
    phaseMetric('bound'),
    phaseMetric('listening'),
    phaseMetric('reply'),
    {
      id: 'start-cpu',
      title: 'Server CPU until the first reply',
      unit: 'ms',
      better: 'lower',
      digits: 2,
      meaning: '',
      from: ['start'],
      of: ({ after }: StartMeasurement) => (after.cpu.userUs + after.cpu.systemUs) / 1000,
    },
    {
      id: 'start-memory',
      title: 'Memory at the first reply',
      unit: 'MiB',
      better: 'lower',
      digits: 1,
      meaning: '',
      from: ['start'],
      of: ({ after }: StartMeasurement) => after.rssBytes / 2 ** 20,
    },
  ],

  served: () => null,
  distributions: () => ({}),
  durationNs: ({ firstReplyNs }) => firstReplyNs,
});
