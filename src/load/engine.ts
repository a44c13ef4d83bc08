/** Drives a native load engine: its lines at the right instants, and its raw figures as a LoadResult. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Protocol } from '../contract/common.js';
import type { LoadLine, LoadResult } from '../contract/load.js';
import { clientBackend } from '../dispatch/registry.js';
import { type HostPort, targetText } from '../options.js';
import { getAffinity } from '../process.js';
import { latencyOf } from './histogram.js';
import { requireDescriptors, sourceAddresses } from './limits.js';
import { connectFailure, type LoadState, native, type RawResult, resolveTarget } from './native.js';
import { saturationReasons } from './saturation.js';

export interface LoadOptions {
  protocol: Exclude<Protocol, 'udp-echo'>;
  target: HostPort;
  connections: number;
  /** requests per second over all connections; null: closed loop */
  rate: number | null;
  arrival: 'fixed' | 'exponential';
  /** of exponential gaps */
  seed: number;
  /** tcp-echo: bytes of one request */
  size: number;
  pipelining: number;
  warmupNs: number;
  windowNs: number;
  /** a request is a timeout when it is not sent so long after its intended time, or not answered so long after that */
  timeoutNs: number;
  connectTimeoutNs: number;
  /** http */
  path: string;
  /** http: replies may differ in their body */
  anyBody: boolean;
}

export interface LoadObserver {
  /**
   * Called for connected, window-start and window-end. Sending begins when the promise for `connected` resolves, and
   * connections are kept until that for `window-end` does.
   */
  line(line: Exclude<LoadLine, LoadResult>): void | Promise<void>;
  /** Called about twice a second while requests are sent. */
  progress?(state: LoadState): void;
}

/**
 * One load from the first connection to the result.
 * @param signal aborted: the load is given up and its connections are closed
 * @throws Error in one sentence when connections cannot be opened; the signal's reason once it was aborted
 */
export async function runLoad(
  options: LoadOptions,
  observer: LoadObserver,
  signal?: AbortSignal,
): Promise<LoadResult> {
  const address = await resolveTarget(options.target);
  requireDescriptors(options.connections);
  const { protocol, target, rate, arrival, ...same } = options;
  const handle = native().loadStart({
    ...same,
    ...address,
    backend: clientBackend,
    sources: sourceAddresses(address.host, options.connections),
    http: protocol === 'http',
    hostHeader: targetText(target),
    rate: rate ?? 0,
    exponential: arrival === 'exponential',
  });
  try {
    return await followLoad(handle, options, observer, signal);
  } finally {
    native().loadStop(handle);
  }
}

async function followLoad(
  handle: number,
  options: LoadOptions,
  observer: LoadObserver,
  signal: AbortSignal | undefined,
): Promise<LoadResult> {
  const pause = async (ms: number): Promise<void> => {
    await sleep(ms, undefined, { signal }).catch(() => signal?.throwIfAborted());
  };
  const until = async (...phases: LoadState['phase'][]): Promise<LoadState> => {
    for (;;) {
      const state = native().loadState(handle);
      if (state.phase === 'failed') throw connectFailure(options.target, state, options.connections);
      if (phases.includes(state.phase)) return state;
      await pause(1);
    }
  };
  const instant = async (monotonicNs: number): Promise<void> => {
    for (;;) {
      const leftMs = (monotonicNs - Number(process.hrtime.bigint())) / 1e6;
      if (leftMs <= 0) return;
      await pause(Math.min(leftMs, 500));
      observer.progress?.(native().loadState(handle));
    }
  };

  const began = process.hrtime.bigint();
  const { standing } = await until('connected');
  const elapsedNs = Number(process.hrtime.bigint() - began);
  await observer.line({ event: 'connected', connections: standing, elapsedNs });
  native().loadBegin(handle);
  const { windowStartNs, windowEndNs } = await until('running', 'draining', 'done');
  await instant(windowStartNs);
  await observer.line({ event: 'window-start', monotonicNs: windowStartNs });
  await instant(windowEndNs);
  await observer.line({ event: 'window-end', monotonicNs: windowEndNs });
  native().loadEnd(handle);
  await until('done');
  return loadResultOf(options, native().loadResult(handle));
}

export function loadResultOf(options: LoadOptions, raw: RawResult): LoadResult {
  const { windowNs, rate } = options;
  const perSecond = (count: number) => count / (windowNs / 1e9);
  const offeredRate = rate === null ? null : perSecond(raw.requests);
  const achievedRate = perSecond(raw.replies);
  const spinShare = raw.spinNs / windowNs;
  // The thread may have been preempted while it spun: what is left cannot be less than nothing.
  const busyShare = Math.max(0, (raw.cpuNs - raw.spinNs) / windowNs);
  return {
    event: 'result',
    protocol: options.protocol,
    mode: rate === null ? 'closed' : 'open',
    arrival: rate === null ? null : options.arrival,
    target: targetText(options.target),
    connections: options.connections,
    size: options.protocol === 'http' ? 0 : options.size,
    pipelining: options.pipelining,
    windowNs,
    warmupNs: options.warmupNs,
    offeredRate,
    requests: raw.requests,
    replies: raw.replies,
    achievedRate,
    bytesIn: raw.bytesIn,
    bytesOut: raw.bytesOut,
    errors: raw.errors,
    reconnects: raw.reconnects,
    backlogged: raw.backlogged,
    latency: latencyOf(raw.latency),
    latencyUncorrected: latencyOf(raw.uncorrected),
    sendLag: rate === null ? null : latencyOf(raw.sendLag),
    connect: latencyOf(raw.connect),
    client: {
      cpuAffinity: getAffinity(),
      busyShare,
      spinShare,
      cpuUs: raw.cpuNs / 1000,
      pacer: rate === null ? null : { p50: raw.resolutionP50Ns, p99: raw.resolutionP99Ns },
    },
    saturation: saturationReasons({ ...raw, offeredRate, achievedRate, busyShare }),
  };
}
