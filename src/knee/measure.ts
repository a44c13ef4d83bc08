/** One repetition of a probe: a fresh load client, against a fresh server of ours or one that runs already. */
import type { Protocol } from '../contract/common.js';
import type { LoadResult } from '../contract/load.js';
import { loadResult } from '../contract/load.js';
import { hello, type Snapshot, snapshot } from '../contract/server.js';
import { Child } from '../hosts/child.js';
import { busyLimit, largeLag } from '../load/saturation.js';
import type { HostPort } from '../options.js';
import { loadCommand } from '../programs/load.js';
import { type ServerSpec, serverCommand } from '../programs/server.js';
import { busyServer, serverBusyShare } from '../run/gates.js';
import type { Measurement } from './objective.js';
import type { Repetition } from './probe.js';

export interface ProbeLoad {
  protocol: Protocol;
  /** a server that runs already, or one to be started anew for every repetition */
  target: HostPort | ServerSpec;
  /** udp-echo: consecutive ports of a server that runs already */
  ports?: number;
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
  if ('port' in load.target && 'host' in load.target) return drive(load, load.target, rate, null);
  const server = new Child('the server', serverCommand({ ...load.target, control: true }));
  try {
    const { address, port, ports } = hello.parse(await server.expect('hello', ANSWER_MS));
    return await drive({ ...load, ports }, { host: address, port }, rate, server);
  } finally {
    await server.end(GRACE_MS);
  }
}

async function drive(
  load: ProbeLoad,
  target: HostPort,
  rate: number,
  server: Child | null,
): Promise<Repetition> {
  const { protocol, ports, warmupS, durationS, timeoutS } = load;
  const asked = { ...load, target, rate, ports: protocol === 'udp-echo' ? ports : undefined };
  const client = new Child('the load client', loadCommand(asked));
  const snapshotOf = async (one: Child): Promise<Snapshot> => {
    one.send('snapshot edge');
    return snapshot.parse(await one.expect('snapshot', ANSWER_MS));
  };
  try {
    await client.expect('connected', ANSWER_MS + load.connections);
    client.send('go');
    await client.expect('window-start', 1000 * warmupS + ANSWER_MS);
    const before = server && (await snapshotOf(server));
    await client.expect('window-end', 1000 * durationS + ANSWER_MS);
    const after = server && (await snapshotOf(server));
    const result = loadResult.parse(await client.expect('result', 1000 * timeoutS + ANSWER_MS));
    const serverBusy = before && after && serverBusyShare({ before, after });
    return { measured: measurement(result, rate), saturation: clientLimits(result, serverBusy) };
  } finally {
    await client.end(GRACE_MS);
  }
}

/**
 * Shares are of the requests due in the window, those of datagrams of what was sent and by their ledger; a latency that
 * no reply had is infinite.
 */
export function measurement(result: LoadResult, rate: number): Measurement {
  const { latency, requests, datagrams } = result;
  const { timeout, reset, closed, mismatch, ...others } = result.errors;
  const lost = datagrams ? datagrams.lost : timeout + reset + closed + mismatch;
  // Corrupt replies and closed ports leave a datagram unanswered: the ledger has it among the lost.
  const unanswered = datagrams ? [datagrams.foreign, datagrams.sendErrors] : Object.values(others);
  const errors = unanswered.reduce((sum, count) => sum + count, lost);
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
export function clientLimits(result: LoadResult, serverBusy: number | null): string[] {
  const { client, sendLag, backlogged, requests, datagrams, offeredRate, windowNs } = result;
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  const reasons: string[] = [];
  if (client.busyShare > busyLimit && (serverBusy ?? 0) < busyServer)
    reasons.push(`the load thread was busy ${percent(client.busyShare)} of the window`);
  // Requests that waited for a connection waited for the server.
  if (sendLag && sendLag.p99 > largeLag && backlogged < 0.01 * requests)
    reasons.push(`requests were sent ${(sendLag.p99 / 1e6).toFixed(1)} ms late (99th percentile)`);
  if (datagrams) {
    const due = ((offeredRate ?? 0) * windowNs) / 1e9;
    if (requests < SENT_LIMIT * due)
      reasons.push(`only ${percent(requests / due)} of the datagrams due were sent`);
    const dropped = datagrams.loss.clientSocket;
    if (dropped > 0) reasons.push(`${dropped} replies overflowed the client's own sockets`);
  }
  return reasons;
}
