/** Figures of the JavaScript engine while it runs; times are nanoseconds since its start. */
import type { Histogram } from 'hdr-histogram-js';
import { emptyHistogram } from '../load/histogram.js';
import type { EngineConfig, EngineFlow, EngineInterval } from './engine.js';
import { noCounts, type Receipt } from './js-ledger.js';

const noInterval = (): EngineInterval => ({
  sent: 0,
  received: 0,
  bytesIn: 0,
  meanNs: 0,
  p50Ns: 0,
  p99Ns: 0,
  maxNs: 0,
});

/** The histogram takes whole numbers only, and no negative ones. */
const whole = (ns: number) => Math.max(0, Math.round(ns));

export class JsRecorder {
  readonly counts = noCounts();
  readonly latency: Histogram = emptyHistogram();
  readonly #uncorrected: Histogram = emptyHistogram();
  readonly sendLag: Histogram = emptyHistogram();
  readonly intervals: EngineInterval[] = [];
  bytesIn = 0;
  #interval = noInterval();
  readonly #intervalLatency: Histogram = emptyHistogram();
  #replies: number[] = [];
  readonly #lastTrip: Float64Array;
  readonly #config: EngineConfig;
  readonly #flows: EngineFlow[];

  constructor(config: EngineConfig, flows: EngineFlow[]) {
    this.#config = config;
    this.#flows = flows;
    this.#lastTrip = new Float64Array(flows.length).fill(-1);
  }

  #roll(at: number): void {
    while (at >= (this.intervals.length + 1) * this.#config.intervalNs) this.finish();
  }

  /** Ends the interval that is open. */
  finish(): void {
    const histogram = this.#intervalLatency;
    if (histogram.totalCount > 0) {
      this.#interval.meanNs = histogram.mean;
      this.#interval.p50Ns = histogram.getValueAtPercentile(50);
      this.#interval.p99Ns = histogram.getValueAtPercentile(99);
      this.latency.add(histogram);
      histogram.reset();
    }
    this.intervals.push(this.#interval);
    this.#interval = noInterval();
  }

  /** @param lag null in a closed loop */
  sent(at: number, lag: number | null): void {
    this.#roll(at);
    this.counts.sent++;
    this.#interval.sent++;
    if (lag !== null) this.sendLag.recordValue(whole(lag));
  }

  /** The kernel refused the one that was to go at `at`. */
  unsent(at: number): void {
    this.counts.sendErrors++;
    this.counts.sent--;
    (this.intervals[Math.floor(at / this.#config.intervalNs)] ?? this.#interval).sent--;
  }

  arrived(at: number, bytes: number): void {
    this.#roll(at);
    this.bytesIn += bytes;
    this.#interval.bytesIn += bytes;
  }

  answered(flow: number, { times, late }: Receipt, at: number): void {
    this.#interval.received++;
    if (!times || (late && this.#config.excludeLate)) return;
    const latency = whole(at - times.intended);
    const trip = whole(at - times.actual);
    this.#intervalLatency.recordValue(latency);
    // In a closed loop a datagram is sent when it is intended.
    if (this.#config.rate > 0) this.#uncorrected.recordValue(trip);
    this.#interval.maxNs = Math.max(this.#interval.maxNs, latency);
    const figures = this.#flows[flow]!;
    figures.latencySumNs += latency;
    figures.latencyMaxNs = Math.max(figures.latencyMaxNs, latency);
    // RFC 3550, section 6.4.1, over round trips.
    const last = this.#lastTrip[flow]!;
    if (last >= 0) figures.jitterNs += (Math.abs(trip - last) - figures.jitterNs) / 16;
    this.#lastTrip[flow] = trip;
    if (this.#config.logReplies) this.#replies.push(flow, latency);
  }

  get uncorrected(): Histogram {
    return this.#config.rate > 0 ? this.#uncorrected : this.latency;
  }

  replies(): Float64Array {
    const pairs = Float64Array.from(this.#replies);
    this.#replies = [];
    return pairs;
  }

  wrong(): number {
    const { corrupted, truncated, foreign, unreachable } = this.counts;
    return corrupted + truncated + foreign + unreachable;
  }
}
