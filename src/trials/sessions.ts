/**
 * One step of an offered-load ramp, as httperf means it: connections are started by a schedule, whatever the server does,
 * each makes its requests one after the other and is closed.
 */

import { z } from 'zod';
import {
  type SessionDetail,
  type SessionSpec,
  sessionDetail,
  sessionResult,
  sessionSpec,
} from '../contract/ramp.js';
import { span } from '../contract/sample.js';
import type { Subject } from '../contract/subject.js';
import { validated } from '../contract/validated.js';
import { longestMs, sessionProgram } from '../programs/session.js';
import { ofConnections } from '../stage/limits.js';
import { answerMs } from '../stage/patience.js';
import { delayedAcks, errors, repeatedConnects, saturation, warmUp, zeroLatencies } from './gates.js';
import { trialKind } from './kind.js';
import { openLoopMetrics, servedMetrics, workerMetrics } from './served.js';

export interface SessionTrial {
  kind: 'sessions';
  subject: Subject & { protocol: 'http' };
  /** requests offered per second: connections started per second times calls */
  rate: number;
  calls: number;
  /** connections of the step */
  connections: number;
  timeoutMs: number;
  /** length of one sample of the reply rate */
  sampleMs: number;
}

const sessionMeasurement = z.object({
  kind: z.literal('sessions'),
  spec: sessionSpec,
  /** by our own client: httperf keeps no distributions */
  session: sessionResult.extend({ detail: sessionDetail }),
  ...span.shape,
});
type SessionMeasurement = z.infer<typeof sessionMeasurement>;

/**
 * Replies over the whole samples of the step, as httperf's own rate counts them, so that the end of the last connections
 * does not dilute it; over the whole step where it was too short for two samples.
 */
function answered({ session }: SessionMeasurement) {
  const { samples, intervalS } = session.replyRate;
  const whole = samples > 1;
  const seconds = whole ? samples * intervalS : session.durationS;
  const replies = whole
    ? session.detail.replySamples.reduce((sum, count) => sum + count, 0)
    : session.replies;
  return { windowNs: seconds * 1e9, replies, achievedRate: replies / seconds };
}

const seen = (m: SessionMeasurement): { achievedRate: number; latency: SessionDetail['response'] } => ({
  achievedRate: answered(m).achievedRate,
  // A call is sent when the one before it was answered: its intended time is its actual one.
  latency: m.session.detail.response,
});

export const sessions = trialKind({
  id: 'sessions',
  measurement: sessionMeasurement,
  connects: true,

  needs: ({ subject, connections }: SessionTrial) => ofConnections(subject, connections),

  async carryOut(trial, stage, done) {
    const servers = await stage.serve(trial.subject);
    await stage.watchNetwork();
    const spec: SessionSpec = {
      ...servers.targets[0]!,
      uri: '/',
      rate: trial.rate / trial.calls,
      connections: trial.connections,
      calls: trial.calls,
      timeoutMs: trial.timeoutMs,
      sampleMs: trial.sampleMs,
      arrival: 'fixed',
      cpus: stage.pinning.client,
    };
    const client = stage.client("client of window 'open'", sessionProgram(spec));
    await client.expect('ready', answerMs);
    const edge = await stage.edge(servers);
    client.send(`start ${await stage.clientNow()}`);
    await client.expect('ended', longestMs(spec));
    const around = await stage.since(servers, edge);
    const line = await client.expect('result', answerMs);
    await stage.end(client);
    const session = validated(sessionMeasurement.shape.session, line, "the client's result");
    done('open', { kind: 'sessions', spec, session, ...around });
  },

  gates(name, measurement, link) {
    const { session, spec } = measurement;
    const { failures, detail, status } = session;
    const { 'client-timo': slow, 'socket-timo': silent, ...others } = failures;
    const [, good] = status;
    return [
      ...errors(
        name,
        measurement,
        {
          open: true,
          timeouts: slow + silent,
          others: { ...others, status: session.replies - good },
          replies: session.replies,
        },
        link,
      ),
      ...saturation(
        name,
        measurement,
        {
          ...answered(measurement),
          offeredRate: spec.rate * spec.calls,
          busyShare: detail.busyShare,
          saturation: detail.saturation,
        },
        link,
      ),
      ...delayedAcks(name, detail.response.histogram, link),
      ...zeroLatencies(name, detail.response.histogram),
      ...repeatedConnects(name, detail.connect.histogram),
      ...warmUp(name, measurement, detail.replySamples),
    ];
  },

  metrics: [
    ...openLoopMetrics(seen),
    ...servedMetrics(({ session }: SessionMeasurement) => ({
      replies: session.replies,
      busyShare: session.detail.busyShare,
    })),
    ...workerMetrics<SessionMeasurement>(),
  ],

  served: (measurement) => ({
    span: measurement,
    bytes: measurement.session.detail.bytesIn + measurement.session.detail.bytesOut,
    durationNs: measurement.session.durationS * 1e9,
    clientUs:
      (measurement.session.detail.busyShare + measurement.session.detail.spinShare) *
      measurement.session.durationS *
      1e6,
  }),
  distributions: ({ session: { detail } }) => ({
    latency: detail.response,
    sendLag: detail.startLag,
    connect: detail.connect,
  }),
  durationNs: ({ session: { durationS } }) => durationS * 1e9,
});
