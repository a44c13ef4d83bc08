/**
 * Load on any server, from this process: closed loop, or open loop at a rate with latencies from the intended send time.
 * Sending, receiving and timing are native and on a thread of their own.
 *
 *     import { load } from 'dispatchbench/load';
 *
 *     const result = await load({ url: 'http://127.0.0.1:8080/', rate: 1000, durationMs: 5000 });
 *     console.log(result.achievedRate, result.latency.p99 / 1e6, 'ms', result.errors);
 *
 * Times of results are in nanoseconds, rates in requests per second. The native part has to be there (`dispatchbench build`).
 */
import { z } from 'zod';
import type { IdleStatus } from '../contract/idle.js';
import type { Latency, LoadLine, LoadResult } from '../contract/load.js';
import { validated } from '../contract/validated.js';
import { type LoadOptions, runLoad } from '../load/engine.js';
import { holdIdle as hold, type IdleHold } from '../load/idle.js';
import { type HostPort, hostPort } from '../options.js';

export { decodeHistogram, histogramLog, type LoggedHistogram, mergeLatencies } from '../load/histogram.js';
export type { IdleHold, IdleStatus, Latency, LoadResult };

/** What a load has come to: all connections stand, the measured window begins, it ends. */
export type LoadEvent = Exclude<LoadLine, LoadResult>;

/** Counts while requests are sent, from the first one on. */
export interface LoadProgress {
  /** connections that stand */
  standing: number;
  replies: number;
  errors: number;
}

/** What both ways to open connections take. */
export interface ConnectInput {
  /** `tcp://HOST:PORT`, or `http://HOST:PORT/PATH`; IPv6 in brackets */
  url: string;
  /** 10 when left out; all are opened before anything is sent */
  connections?: number;
  /** for one handshake, milliseconds; 5000 when left out */
  connectTimeoutMs?: number;
}

export interface LoadInput extends ConnectInput {
  /** requests per second over all connections: an open loop. Left out: a closed loop, the next request when the reply is there */
  rate?: number;
  /** gaps of the open loop; fixed when left out */
  arrival?: 'fixed' | 'exponential';
  /** of exponential gaps; 1 when left out */
  seed?: number;
  /** requests in flight on one connection; 1 when left out */
  pipelining?: number;
  /** tcp: bytes of a request, which the server has to echo; 64 when left out */
  size?: number;
  /** http: replies may differ in their body, which is an error otherwise */
  anyBody?: boolean;
  /** the measured window, milliseconds; 10 000 when left out */
  durationMs?: number;
  /** load before the window that is not measured, milliseconds; 1000 when left out */
  warmupMs?: number;
  /** a request without a reply so long is an error, milliseconds; 5000 when left out */
  timeoutMs?: number;
  /** gives the load up: `load` then rejects with its reason */
  signal?: AbortSignal;
  /** sending begins, and connections are closed after the window, when the promise that it returns has resolved */
  onEvent?(event: LoadEvent): void | Promise<void>;
  /** called about twice a second */
  onProgress?(progress: LoadProgress): void;
}

const whole = (low: number, high: number) => z.number().int().min(low).max(high);
const milliseconds = z.number().positive().max(86_400_000);

const connectInput = z.strictObject({
  url: z.string(),
  connections: whole(1, 1_000_000).default(10),
  connectTimeoutMs: milliseconds.default(5000),
});

const loadInput = connectInput.extend({
  rate: z.number().positive().max(1e8).optional(),
  arrival: z.enum(['fixed', 'exponential']).default('fixed'),
  seed: whole(0, 0xffff_ffff).default(1),
  pipelining: whole(1, 1024).default(1),
  size: whole(1, 1 << 20).default(64),
  anyBody: z.boolean().default(false),
  durationMs: milliseconds.default(10_000),
  warmupMs: milliseconds.or(z.literal(0)).default(1000),
  timeoutMs: milliseconds.default(5000),
});

/** @throws Error in one sentence */
function targetOf(url: string): { protocol: LoadOptions['protocol']; target: HostPort; path: string } {
  const [, scheme, authority, path = '/'] = /^(tcp|http):\/\/([^/?#]+)([/?][^#]*)?$/.exec(url) ?? [];
  if (!authority || (scheme === 'tcp' && path !== '/'))
    throw new Error(`'${url}' is no target: write tcp://HOST:PORT or http://HOST:PORT/PATH`);
  const named = scheme === 'http' && !/:\d+$/.test(authority) ? `${authority}:80` : authority;
  const target = hostPort(named);
  return { protocol: scheme === 'http' ? 'http' : 'tcp-echo', target, path: path.replace(/^\?/, '/?') };
}

const ns = (ms: number) => Math.round(ms * 1e6);

/**
 * One load, from the first connection to the result (`schemas/load-line`, the line `result`).
 * @returns counts and latencies of the window; `saturation` says why they may be this client's limit and not the server's
 * @throws Error in one sentence when the input is wrong or the connections cannot be opened; the signal's reason once it
 *   was aborted
 */
export async function load({ signal, onEvent, onProgress, ...input }: LoadInput): Promise<LoadResult> {
  const { url, rate, durationMs, warmupMs, timeoutMs, connectTimeoutMs, ...same } = validated(
    loadInput,
    input,
    'load',
  );
  signal?.throwIfAborted();
  return runLoad(
    {
      ...same,
      ...targetOf(url),
      rate: rate ?? null,
      windowNs: ns(durationMs),
      warmupNs: ns(warmupMs),
      timeoutNs: ns(timeoutMs),
      connectTimeoutNs: ns(connectTimeoutMs),
    },
    {
      line: (event) => onEvent?.(event),
      ...(onProgress && {
        progress: ({ standing, replies, errors }) => onProgress({ standing, replies, errors }),
      }),
    },
    signal,
  );
}

/**
 * Opens connections and holds them without saying anything; what the server closes is opened again until `end()`.
 * @returns once all stand
 * @throws Error in one sentence when the input is wrong or they cannot all stand
 */
export async function holdIdle(input: ConnectInput): Promise<IdleHold> {
  const { url, connections, connectTimeoutMs } = validated(connectInput, input, 'holdIdle');
  const { target } = targetOf(url);
  return hold({ target, connections, sources: null, connectTimeoutNs: ns(connectTimeoutMs) });
}
