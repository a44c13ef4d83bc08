/** A closed loop by a real wrk, which opens its connections itself, again and again where the server closes them. */
import { z } from 'zod';
import { wrkResult } from '../contract/clients.js';
import { span } from '../contract/sample.js';
import type { Subject } from '../contract/subject.js';
import { validated } from '../contract/validated.js';
import { wrkProgram } from '../programs/wrk.js';
import { drive } from '../stage/drive.js';
import { ofConnections } from '../stage/limits.js';
import { invalid, percent, warning } from './gates.js';
import { trialKind } from './kind.js';
import { peakMetrics, servedMetrics } from './served.js';

/** Of requests with an error more than this share is a doubt about the others. */
const manyErrors = 0.01;

export interface WrkTrial {
  kind: 'wrk';
  subject: Subject & { protocol: 'http' };
  path: string;
  connections: number;
  warmupMs: number;
  durationMs: number;
  timeoutMs: number;
}

const wrkMeasurement = z.object({ kind: z.literal('wrk'), wrk: wrkResult, ...span.shape });
type WrkMeasurement = z.infer<typeof wrkMeasurement>;

const rate = ({ wrk: { requests, durationNs } }: WrkMeasurement) => requests / (durationNs / 1e9);

export const wrk = trialKind({
  id: 'wrk',
  measurement: wrkMeasurement,
  connects: 'freely',

  needs: ({ subject, connections }: WrkTrial) => ofConnections(subject, connections),

  async carryOut({ subject, path, connections, warmupMs, durationMs, timeoutMs }, stage, done) {
    const servers = await stage.serve(subject);
    await stage.watchNetwork();
    const cpus = stage.pinning.client;
    const program = wrkProgram({
      target: servers.targets[0]!,
      path,
      connections,
      threads: Math.max(1, cpus.length),
      durationS: durationMs / 1000,
      warmupS: warmupMs / 1000,
      timeoutS: timeoutMs / 1000,
      cpus,
    });
    // It takes whole seconds, at least one, and after the last of them it waits for what is on its way.
    const { results, span: around } = await drive(stage, servers, {
      name: 'wrk',
      connections,
      warmupMs: warmupMs + timeoutMs + 1000,
      durationMs: durationMs + timeoutMs + 1000,
      clients: [program],
    });
    done('closed', { kind: 'wrk', wrk: validated(wrkResult, results[0], "wrk's result"), ...around });
  },

  gates(name, { wrk: { requests, errors } }) {
    const all = Object.values(errors).reduce((sum, one) => sum + one, 0);
    if (requests === 0) return [invalid('no-replies', `${name}: no reply came within the window`)];
    const said = Object.entries(errors)
      .filter(([, count]) => count > 0)
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', ');
    // What is refused quickly is another workload.
    const doubt = errors.status > manyErrors * requests ? invalid : warning;
    return all > manyErrors * requests
      ? [
          doubt(
            'errors',
            `${name}: wrk counted errors with ${percent(all / (requests + all))} of what it asked: ${said}`,
          ),
        ]
      : [];
  },

  metrics: [
    ...peakMetrics((m: WrkMeasurement) => ({ achievedRate: rate(m), busyShare: m.wrk.busyShare })),
    {
      id: 'wrk-latency-p50',
      title: 'Median latency, wrk',
      unit: 'ms',
      better: 'lower',
      digits: 2,
      meaning: '',
      from: ['closed'],
      of: ({ wrk: { latencyMs } }: WrkMeasurement) => latencyMs.p50,
    },
    {
      id: 'listen-drops',
      title: 'Connection requests dropped at a full listen queue',
      unit: '',
      better: 'lower',
      digits: 0,
      meaning:
        'What the kernel dropped during the trial, its warm-up included, because the server had not accepted those before. A client asks again after a second, then after two.',
      from: ['closed'],
      of: (_: WrkMeasurement, { network }) => network?.server.listenDrops ?? null,
    },
    {
      id: 'client-errors',
      title: 'Errors of the client',
      unit: '',
      better: 'lower',
      digits: 0,
      meaning: 'Connections that failed, replies that took too long and replies other than a success.',
      from: ['closed'],
      of: ({ wrk: { errors } }: WrkMeasurement) => Object.values(errors).reduce((sum, one) => sum + one, 0),
    },
    ...servedMetrics(({ wrk: { requests, busyShare } }: WrkMeasurement) => ({
      replies: requests,
      busyShare,
    })),
  ],

  served: (measurement) => ({
    span: measurement,
    bytes: measurement.wrk.bytesRead,
    durationNs: measurement.wrk.durationNs,
    clientUs: (measurement.wrk.busyShare * measurement.wrk.durationNs) / 1000,
  }),
  distributions: () => ({}),
  durationNs: ({ wrk: { durationNs } }) => durationNs,
});
