/** One repetition of a probe: a fresh load client, against a fresh server of ours or one that runs already. */
import type { LoadResult } from '../contract/load.js';
import { loadResult } from '../contract/load.js';
import { hello } from '../contract/server.js';
import { Child } from '../hosts/child.js';
import type { HostPort } from '../options.js';
import { loadCommand } from '../programs/load.js';
import { type ServerSpec, serverCommand } from '../programs/server.js';
import type { Measurement } from './objective.js';
import type { Repetition } from './search.js';

export interface ProbeLoad {
  protocol: 'tcp-echo' | 'http';
  /** a server that runs already, or one to be started anew for every repetition */
  target: HostPort | ServerSpec;
  connections: number;
  durationS: number;
  warmupS: number;
  timeoutS: number;
  path: string;
  /** CPUs of the client; empty: any */
  cpus: number[];
}

const ANSWER_MS = 20_000;
const GRACE_MS = 2000;

/** @throws Error in one sentence when server or client break down */
export async function measureRepetition(load: ProbeLoad, rate: number): Promise<Repetition> {
  if ('port' in load.target && 'host' in load.target) return drive(load, load.target, rate);
  const server = new Child('the server', serverCommand({ ...load.target, control: true }));
  try {
    const { address, port } = hello.parse(await server.expect('hello', ANSWER_MS));
    return await drive(load, { host: address, port }, rate);
  } finally {
    await server.end(GRACE_MS);
  }
}

async function drive(load: ProbeLoad, target: HostPort, rate: number): Promise<Repetition> {
  const client = new Child('the load client', loadCommand({ ...load, target, rate }));
  try {
    await client.expect('connected', ANSWER_MS + load.connections);
    client.send('go');
    const longestMs = (load.warmupS + load.durationS + load.timeoutS) * 1000 + ANSWER_MS;
    const result = loadResult.parse(await client.expect('result', longestMs));
    return { measured: measurement(result, rate), saturation: clientLimits(result) };
  } finally {
    await client.end(GRACE_MS);
  }
}

/** Shares are of the requests due in the window; a latency that no reply had is infinite. */
export function measurement(result: LoadResult, rate: number): Measurement {
  const { errors, latency, requests } = result;
  const lost = errors.timeout + errors.reset + errors.closed + errors.mismatch;
  const all = Object.values(errors).reduce((sum, count) => sum + count, 0);
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
    errors: requests > 0 ? all / requests : 1,
    achieved: result.replies / Math.floor((rate * result.windowNs) / 1e9),
  };
}

const BUSY_LIMIT = 0.85;
/** Later than this the schedule was not kept, unless requests waited for a connection, which is the server's doing. */
const LAG_LIMIT_NS = 1e6;

/**
 * Only what the client's own clocks say: a shortfall of replies is what is being looked for here, and no sign against
 * the client.
 */
export function clientLimits({ client, sendLag, backlogged, requests }: LoadResult): string[] {
  return [
    ...(client.busyShare > BUSY_LIMIT
      ? [`the load thread was busy ${(100 * client.busyShare).toFixed(0)} % of the window`]
      : []),
    ...(sendLag && sendLag.p99 > LAG_LIMIT_NS && backlogged < 0.01 * requests
      ? [`requests were sent ${(sendLag.p99 / 1e6).toFixed(1)} ms late (99th percentile)`]
      : []),
  ];
}
