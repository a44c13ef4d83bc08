/** A step of a ramp in the shape that every other window of a sample has. A pure function. */
import type { LoadResult } from '../contract/load.js';
import type { SessionResult, SessionSpec } from '../contract/ramp.js';

/** @throws Error for a result of httperf, which keeps no distributions */
export function asLoadResult(spec: SessionSpec, result: SessionResult): LoadResult {
  const { detail, failures } = result;
  if (!detail) throw new Error('httperf keeps no distributions: a sample needs those of our own client');
  // httperf's own figure counts whole samples alone, so that the end of the last connections does not dilute it.
  const { samples, intervalS } = result.replyRate;
  const whole = samples > 1;
  const windowNs = (whole ? samples * intervalS : result.durationS) * 1e9;
  const replies = whole ? detail.replySamples.reduce((sum, count) => sum + count, 0) : result.replies;
  const [, good] = result.status;
  return {
    event: 'result',
    protocol: 'http',
    mode: 'open',
    arrival: spec.arrival,
    target: `${spec.host}:${spec.port}`,
    connections: spec.connections,
    size: 0,
    pipelining: 1,
    windowNs,
    warmupNs: 0,
    offeredRate: spec.rate * spec.calls,
    requests: result.requests,
    replies,
    achievedRate: replies / (windowNs / 1e9),
    bytesIn: detail.bytesIn,
    bytesOut: detail.bytesOut,
    errors: {
      refused: failures.connrefused,
      reset: failures.connreset,
      timeout: failures['client-timo'] + failures['socket-timo'],
      addressUnavailable: failures.addrunavail,
      descriptorUnavailable: failures['fd-unavail'] + failures['ftab-full'],
      mismatch: 0,
      status: result.replies - good,
      closed: 0,
      other: failures.other,
    },
    reconnects: 0,
    backlogged: 0,
    // A call is sent when the one before it was answered: its intended time is its actual one.
    latency: detail.response,
    latencyUncorrected: detail.response,
    sendLag: detail.startLag,
    connect: detail.connect,
    client: {
      cpuAffinity: spec.cpus,
      busyShare: detail.busyShare,
      spinShare: detail.spinShare,
      cpuUs: (result.cpu.userS + result.cpu.systemS) * 1e6,
      pacer: null,
    },
    saturation: detail.saturation,
  };
}
