/** How far hosts are from each other: a request at a time over TCP, from a client on one to a server on another, and back. */
import type { BackendName } from '../contract/common.js';
import type { Roles } from '../hosts/host.js';
import { onStage } from '../stage/on-stage.js';
import { places } from '../stage/places.js';
import { kindOf } from '../trials/registry.js';

/** A host that is not reached by then is not reached, milliseconds. */
const patienceMs = 5000;

const window = { name: 'ping', connections: 1, rate: null, size: 64, warmupMs: 50, durationMs: 200 };

/** @returns median round trip in milliseconds; null: not reached */
async function ping(from: Roles, to: Roles, signal: AbortSignal): Promise<number | null> {
  const available = to.server.look.backends.filter((one) => one.available).map(({ name }) => name);
  const backend: BackendName | undefined = available.includes('poll') ? 'poll' : available[0];
  if (backend === undefined) return null;
  const trial = {
    kind: 'load' as const,
    subject: {
      kind: 'dispatch' as const,
      impl: 'native' as const,
      backend,
      io: null,
      protocol: 'tcp-echo' as const,
    },
    processes: 1,
    idle: 0,
    windows: [window],
  };
  const roles: Roles =
    from === to ? to : { name: to.name, server: to.server, client: from.client, close: async () => {} };
  const given = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  let median: number | null = null;
  try {
    const pinning = places(
      roles.server.look,
      roles.client.look,
      from === to ? to.pin : { server: to.pin?.server, client: from.pin?.client },
    );
    await onStage({ roles, signal: given, pinning }, (stage) =>
      kindOf(trial).carryOut(trial, stage, (_, one) => {
        if (one.kind === 'load') median = (one.load.latency?.p50 ?? 0) / 1e6 || null;
      }),
    );
  } catch {
    // Why is of no use to a placement: it is not reached.
    signal.throwIfAborted();
    return null;
  }
  return median;
}

/**
 * From each host (row) to each. One after the other, because they would be in each other's way.
 * @throws the signal's reason when it was aborted
 */
export async function pingMatrix(hosts: readonly Roles[], signal: AbortSignal): Promise<(number | null)[][]> {
  const rows: (number | null)[][] = [];
  for (const from of hosts) {
    const row: (number | null)[] = [];
    for (const to of hosts) row.push(await ping(from, to, signal));
    rows.push(row);
  }
  return rows;
}
