/**
 * A server's start: from asking for its process to its first valid reply, seen by a client that was there before and asks
 * without a pause. There is no load and no window.
 */
import { z } from 'zod';
import { count } from '../contract/common.js';
import { snapshotBody } from '../contract/server.js';
import { firstReply } from '../contract/start.js';
import type { Subject } from '../contract/subject.js';
import { validated } from '../contract/validated.js';
import { toOurs } from '../hosts/clock.js';
import { monotonicNs } from '../process.js';
import { firstReplyProgram } from '../programs/first-reply.js';
import { answerMs } from '../stage/patience.js';
import { invalid, percent } from './gates.js';
import { trialKind } from './kind.js';

/** The clocks of two hosts have to be known this much better than what is measured between them. */
const clockShare = 0.05;

export interface StartTrial {
  kind: 'start';
  subject: Subject;
  /** where it has to listen, because its client must know before; outside the ports that systems give away */
  port: number;
}

const startMeasurement = z.object({
  kind: z.literal('start'),
  /** from asking the host for the process to its first reply being whole, nanoseconds */
  firstReplyNs: z.number(),
  /** the same to its saying that it listens, as the runner saw it */
  helloNs: z.number(),
  /** requests until then */
  attempts: count,
  /** how exactly the clocks of runner and client are known against each other; 0: they are one */
  clockBoundNs: z.number(),
  /** what the server had used by then */
  after: snapshotBody,
});
type StartMeasurement = z.infer<typeof startMeasurement>;

export const start = trialKind({
  id: 'start',
  measurement: startMeasurement,
  connects: true,

  needs({ subject }: StartTrial) {
    const ports = subject.ports ?? 1;
    return {
      backend: subject.kind === 'dispatch' ? subject.backend : null,
      perProcess: ports,
      what: 'ports',
      connections: 1,
      active: 1,
    };
  },

  async carryOut({ subject, port }, stage, done) {
    const target = { host: stage.address, port };
    const asking = { protocol: subject.protocol, target, cpus: stage.pinning.client };
    const client = stage.client('the client that waits', firstReplyProgram(asking));
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
    done('start', {
      kind: 'start',
      firstReplyNs: toOurs(clock, theirNs) - startedNs,
      helloNs,
      attempts,
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
