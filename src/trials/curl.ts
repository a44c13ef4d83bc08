/**
 * A curl process for each request, one after the other, as hyperfine and shell scripts measure latency. What they call
 * latency is mostly the start of curl: its own time of the transfer stands beside the whole.
 */
import { z } from 'zod';
import { curlResult } from '../contract/clients.js';
import { span } from '../contract/sample.js';
import type { Subject } from '../contract/subject.js';
import { validated } from '../contract/validated.js';
import { curlProgram } from '../programs/curl.js';
import { drive } from '../stage/drive.js';
import { ofConnections } from '../stage/limits.js';
import { quantileRanks } from '../statistics/percentiles.js';
import { invalid } from './gates.js';
import { trialKind } from './kind.js';

/** A curl that takes longer than this for a request is no measurement of anything, milliseconds. */
const slowestMs = 200;

export interface CurlTrial {
  kind: 'curl';
  subject: Subject & { protocol: 'http' };
  path: string;
  warmups: number;
  requests: number;
}

const curlMeasurement = z.object({ kind: z.literal('curl'), curl: curlResult, ...span.shape });
type CurlMeasurement = z.infer<typeof curlMeasurement>;

const p50 = (of: (m: CurlMeasurement) => CurlMeasurement['curl']['whole']) => (m: CurlMeasurement) =>
  quantileRanks(of(m).count, 0.5) ? of(m).p50 / 1000 : null;

export const curl = trialKind({
  id: 'curl',
  measurement: curlMeasurement,
  connects: true,

  needs: ({ subject }: CurlTrial) => ofConnections(subject, 1),

  async carryOut({ subject, path, warmups, requests }, stage, done) {
    const servers = await stage.serve(subject);
    await stage.watchNetwork();
    const { results, span: around } = await drive(stage, servers, {
      name: 'curl',
      connections: 1,
      warmupMs: warmups * slowestMs,
      durationMs: requests * slowestMs,
      clients: [
        curlProgram({ target: servers.targets[0]!, path, warmups, requests, cpus: stage.pinning.client }),
      ],
    });
    done('curl', { kind: 'curl', curl: validated(curlResult, results[0], "curl's result"), ...around });
  },

  gates: (name, { curl: { failures, requests } }) =>
    failures > 0
      ? [invalid('errors', `${name}: curl failed ${failures} times of ${failures + requests}`)]
      : [],

  metrics: [
    {
      id: 'curl-p50',
      title: 'Median time of a request by a curl of its own',
      unit: 'µs',
      better: 'lower',
      digits: 0,
      meaning:
        'From starting curl until it has ended. Differences between servers mean something, the whole does not.',
      from: ['curl'],
      of: p50(({ curl: { whole } }) => whole),
    },
    {
      id: 'curl-transfer-p50',
      title: "Of that, curl's own time of the transfer, median",
      unit: 'µs',
      better: 'lower',
      digits: 0,
      meaning: '',
      from: ['curl'],
      of: p50(({ curl: { transfer } }) => transfer),
    },
    {
      id: 'curl-share',
      title: 'Share of curl in it',
      unit: '',
      better: 'neither',
      digits: 2,
      meaning: '',
      from: ['curl'],
      of: ({ curl: { whole, transfer } }: CurlMeasurement) =>
        whole.mean > 0 ? 1 - transfer.mean / whole.mean : null,
    },
  ],

  served: () => null,
  distributions: ({ curl: { whole, transfer } }) => ({ curl: whole, transfer }),
  durationNs: ({ curl: { windowNs } }) => windowNs,
});
