/**
 * Several clients' results of one step as one. Counts add up, histograms are merged and percentiles read from the
 * merged one, the reply rate is that of all clients in the same sample: never a mean of means, never a sum of
 * deviations. A pure function.
 */
import { type Failures, failureKinds, type SessionDetail, type SessionResult } from '../contract/ramp.js';
import { mergeLatencies } from '../load/histogram.js';
import { replyRate } from './reply-rate.js';

/** @throws RangeError without a result */
export function mergeResults(results: readonly SessionResult[]): SessionResult {
  const [first] = results;
  if (!first) throw new RangeError('no result to merge');
  if (results.length === 1) return first;
  const sum = (of: (result: SessionResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const weighted = (of: (result: SessionResult) => number, weight: (result: SessionResult) => number) =>
    sum(weight) === 0 ? 0 : sum((result) => of(result) * weight(result)) / sum(weight);
  const details = results.flatMap(({ detail }) => (detail ? [detail] : []));
  const detail = details.length === results.length ? mergeDetails(details) : null;
  return {
    event: 'result',
    client: first.client,
    connections: sum((result) => result.connections),
    requests: sum((result) => result.requests),
    replies: sum((result) => result.replies),
    // They started at one instant: together they took as long as the slowest.
    durationS: Math.max(...results.map(({ durationS }) => durationS)),
    maxConcurrent: sum((result) => result.maxConcurrent),
    connectMs: detail
      ? detail.connect.mean / 1e6
      : weighted(
          (result) => result.connectMs,
          (r) => r.connections,
        ),
    responseMs: detail
      ? detail.response.mean / 1e6
      : weighted(
          (result) => result.responseMs,
          (r) => r.replies,
        ),
    transferMs: weighted(
      (result) => result.transferMs,
      (result) => result.replies,
    ),
    replyRate: detail ? replyRate(detail.replySamples, first.replyRate.intervalS) : sumOfRates(results),
    status: [0, 1, 2, 3, 4].map((digit) => sum(({ status }) => status[digit]!)) as SessionResult['status'],
    netKBps: sum((result) => result.netKBps),
    failures: Object.fromEntries(
      failureKinds.map((kind) => [kind, sum(({ failures }) => failures[kind])]),
    ) as Failures,
    cpu: { userS: sum(({ cpu }) => cpu.userS), systemS: sum(({ cpu }) => cpu.systemS) },
    detail,
  };
}

function mergeDetails(details: readonly SessionDetail[]): SessionDetail {
  // A sample counts when every client has it: one that ended early would look like a fall of the rate.
  const whole = Math.min(...details.map(({ replySamples }) => replySamples.length));
  return {
    response: mergeLatencies(details.map(({ response }) => response)),
    connect: mergeLatencies(details.map(({ connect }) => connect)),
    startLag: mergeLatencies(details.map(({ startLag }) => startLag)),
    replySamples: Array.from({ length: whole }, (_, sample) =>
      details.reduce((total, { replySamples }) => total + replySamples[sample]!, 0),
    ),
    startedAtNs: Math.min(...details.map(({ startedAtNs }) => startedAtNs)),
    dueAtNs: Math.min(...details.map(({ dueAtNs }) => dueAtNs)),
    busyShare: Math.max(...details.map(({ busyShare }) => busyShare)),
    spinShare: Math.max(...details.map(({ spinShare }) => spinShare)),
    bytesIn: details.reduce((sum, { bytesIn }) => sum + bytesIn, 0),
    bytesOut: details.reduce((sum, { bytesOut }) => sum + bytesOut, 0),
    saturation: details.flatMap(({ saturation }) => saturation),
  };
}

/**
 * httperf keeps no samples, only their figures: means add up, and variances do if the clients are independent. The
 * extremes of the sum are not known; the sums of the extremes bound them.
 */
function sumOfRates(results: readonly SessionResult[]): SessionResult['replyRate'] {
  const rates = results.map(({ replyRate }) => replyRate);
  return {
    min: rates.reduce((sum, { min }) => sum + min, 0),
    avg: rates.reduce((sum, { avg }) => sum + avg, 0),
    max: rates.reduce((sum, { max }) => sum + max, 0),
    stddev: Math.hypot(...rates.map(({ stddev }) => stddev)),
    samples: Math.min(...rates.map(({ samples }) => samples)),
    intervalS: rates[0]!.intervalS,
  };
}
