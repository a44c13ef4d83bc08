/** One repetition of a probe: a fresh load client, against a fresh server of ours or one that runs already. */
import type { Protocol } from '../contract/common.js';
import { type DatagramResult, datagramResult } from '../contract/dgram.js';
import { type LoadResult, loadResult } from '../contract/load.js';
import type { DispatchSubject } from '../contract/subject.js';
import { validated } from '../contract/validated.js';
import { failuresOf } from '../load/failures.js';
import { busyLimit, largeLag } from '../load/saturation.js';
import type { HostPort } from '../options.js';
import { loadProgram } from '../programs/load.js';
import { drive } from '../stage/drive.js';
import { onStage, type Site } from '../stage/on-stage.js';
import { busyServer, serverBusyShare } from '../trials/served.js';
import type { Measurement } from './objective.js';
import type { Repetition } from './probe.js';

export interface ProbeLoad {
  protocol: Protocol;
  /** a server that runs already, or one to be started anew for every repetition */
  target: HostPort | DispatchSubject;
  /** udp-echo: consecutive ports */
  ports?: number;
  connections: number;
  durationS: number;
  warmupS: number;
  timeoutS: number;
  path: string;
  /** CPUs of the client; null: its place beside a server of ours, any CPU for another's */
  cpus: readonly number[] | null;
}

const resultOf = (protocol: Protocol, line: unknown) =>
  validated<LoadResult | DatagramResult>(
    protocol === 'udp-echo' ? datagramResult : loadResult,
    line,
    "the load client's result",
  );

/** @throws Error in one sentence when server or client break down */
export const measureRepetition = (load: ProbeLoad, rate: number, site: Site): Promise<Repetition> =>
  onStage(site, async (stage) => {
    const { protocol, target, connections, warmupS, durationS, timeoutS } = load;
    const servers = 'kind' in target ? await stage.serve(target) : null;
    const client = loadProgram({
      ...load,
      target: 'kind' in target ? servers!.targets[0]! : target,
      rate,
      cpus: [...(load.cpus ?? (servers ? stage.pinning.client : []))],
    });
    const { results, span } = await drive(stage, servers, {
      name: 'the load client',
      clients: [client],
      connections,
      warmupMs: 1000 * warmupS,
      durationMs: 1000 * durationS,
      timeoutMs: 1000 * timeoutS,
    });
    const result = resultOf(protocol, results[0]);
    return {
      measured: measurement(result, rate),
      saturation: clientLimits(result, span && serverBusyShare(span)),
    };
  });

/**
 * Shares are of the requests due in the window, those of datagrams of what was sent and by their ledger; a latency that
 * no reply had is infinite.
 */
export function measurement(result: LoadResult | DatagramResult, rate: number): Measurement {
  const { latency, requests } = result;
  const { lost, errors } = failuresOf(result);
  const of = (ns: number): number => (latency.count > 0 ? ns : Number.POSITIVE_INFINITY);
  return {
    mean: of(latency.mean),
    p50: of(latency.p50),
    p90: of(latency.p90),
    p95: of(latency.p95),
    p99: of(latency.p99),
    p999: of(latency.p999),
    p9999: of(latency.p9999),
    max: of(latency.max),
    loss: requests > 0 ? lost / requests : 1,
    errors: requests > 0 ? errors / requests : 1,
    achieved: result.replies / Math.floor((rate * result.windowNs) / 1e9),
  };
}

const SENT_LIMIT = 0.99;

/**
 * Only what the client's own clocks and sockets say: a shortfall of replies is what is being looked for here, and no sign
 * against the client. Neither is a busy client beside a server that is itself at its limit, because they drive each other.
 * @param serverBusy CPU share of the server's thread; null: unknown
 */
export function clientLimits(result: LoadResult | DatagramResult, serverBusy: number | null): string[] {
  const { client, sendLag, requests, offeredRate, windowNs } = result;
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  const reasons: string[] = [];
  if (client.busyShare > busyLimit && (serverBusy ?? 0) < busyServer)
    reasons.push(`the load thread was busy ${percent(client.busyShare)} of the window`);
  // Requests that waited for a connection waited for the server; datagrams wait for none.
  const backlogged = result.protocol === 'udp-echo' ? 0 : result.backlogged;
  if (sendLag && sendLag.p99 > largeLag && backlogged < 0.01 * requests)
    reasons.push(`requests were sent ${(sendLag.p99 / 1e6).toFixed(1)} ms late (99th percentile)`);
  if (result.protocol === 'udp-echo') {
    const due = ((offeredRate ?? 0) * windowNs) / 1e9;
    if (requests < SENT_LIMIT * due)
      reasons.push(`only ${percent(requests / due)} of the datagrams due were sent`);
    const dropped = result.loss.clientSocket;
    if (dropped > 0) reasons.push(`${dropped} replies overflowed the client's own sockets`);
  }
  return reasons;
}
