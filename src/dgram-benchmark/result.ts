/** From an engine's outcome to the published result. Pure. */
import type { DgramInterval, DgramLoss, DgramResult } from '../contract/dgram.js';
import { type EngineInterval, type EngineOutcome, type Identity, identityOf } from './engine.js';
import type { DgramOptions } from './options.js';
import { meanJitterNs, portFigures, portSpread } from './ports.js';
import { saturationReasons } from './saturation.js';
import { histogramsOf, lagFigures, latencySpread, ratesOf } from './spread.js';

const ms = (ns: number) => ns / 1e6;

/** @param scale nanoseconds in one unit of the times */
export function intervalsIn(scale: number, series: readonly EngineInterval[]): DgramInterval[] {
  return series.map(({ sent, received, bytesIn, meanNs, p50Ns, p99Ns, maxNs }) => ({
    sent,
    received,
    bytesIn,
    mean: meanNs / scale,
    p50: p50Ns / scale,
    p99: p99Ns / scale,
    max: maxNs / scale,
  }));
}

/** What datagrams of each form cannot tell. */
const unknown: Record<Identity, string[]> = {
  full: [],
  compact: [],
  none: [
    'which datagrams were lost: a reply counts for the oldest unanswered one, so a loss shifts later latencies',
    'reordered and unattributable replies',
    'duplicates, while as many datagrams are unanswered',
  ],
};

export function resultOf(
  options: DgramOptions,
  outcome: EngineOutcome,
  loss: DgramLoss,
  times: { start: Date; finish: Date },
): DgramResult {
  const { counts, series, latency, uncorrected, sendLag: lag } = outcome;
  const open = options.rate > 0;
  const seconds = outcome.sendingNs / 1e9;
  // Intervals of the drain, and one that was only begun, belong to the totals and not to the rates.
  const whole = series.slice(0, Math.max(1, Math.floor(outcome.sendingNs / (options.sampleInt * 1e6))));
  const perSecond =
    whole.length > 1 || outcome.sendingNs >= options.sampleInt * 1e6 ? 1000 / options.sampleInt : 1 / seconds;
  const identity = identityOf(options.size, options.echo);
  const reasons = saturationReasons(outcome, open, lag, loss);
  const lost = counts.sent - counts.received;
  const ports = portFigures(outcome.flows);
  return {
    schemaVersion: 1,
    ...(options.title === undefined ? {} : { title: options.title }),
    url: options.url,
    engine: options.engine,
    connections: options.connections,
    ports: options.ports,
    portOrder: options.portOrder,
    size: options.size,
    identity,
    unknown: unknown[identity],
    mode: open ? 'open' : 'closed',
    arrival: open ? options.arrival : null,
    sampleInt: options.sampleInt,
    pipelining: options.pipelining,
    workers: options.workers,
    seed: options.seed,
    duration: seconds,
    samples: whole.length,
    start: times.start.toISOString(),
    finish: times.finish.toISOString(),
    errors: counts.sendErrors + counts.unreachable,
    timeouts: lost + counts.late,
    mismatches: counts.corrupted + counts.truncated + counts.foreign,
    resets: counts.unreachable,
    latency: latencySpread(latency),
    latencyUncorrected: latencySpread(uncorrected),
    ...ratesOf(whole, perSecond, { ...counts, bytesIn: outcome.bytesIn }),
    ...counts,
    lost,
    lossRate: lost / Math.max(1, counts.sent),
    loss,
    jitter: ms(meanJitterNs(outcome.flows)),
    schedule: {
      // Sending may have gone on a little after the schedule's end.
      offered: open ? outcome.offered / Math.min(seconds, options.duration) : null,
      achieved: counts.sent / seconds,
      ...lagFigures(lag),
      resolution: open ? { p50: ms(outcome.pacerP50Ns), p99: ms(outcome.pacerP99Ns) } : null,
    },
    client: {
      poller: outcome.poller,
      busyShare: outcome.busiestShare,
      spinShare: outcome.spinNs / (outcome.sendingNs * options.workers),
      cpuUs: outcome.cpuNs / 1000,
      sendCalls: outcome.sendCalls,
      receiveCalls: outcome.receiveCalls,
    },
    clientSaturated: reasons.length > 0,
    reasons,
    portSpread: portSpread(ports),
    ...(options.perPort ? { perPort: ports } : {}),
    series: intervalsIn(1e6, series),
    histograms: histogramsOf(latency, uncorrected, lag),
  };
}
