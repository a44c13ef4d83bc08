/** Several server processes, load clients or windows of one trial, seen as one. Pure functions. */
import type { LoadResult } from '../contract/load.js';
import type { Span } from '../contract/sample.js';
import type { SnapshotBody } from '../contract/server.js';
import { mergeLatencies } from '../load/histogram.js';

/** Part `index` of `parts` whole shares that differ by one at most and add up to `total`. */
export function share(total: number, parts: number, index: number): number {
  return Math.floor((total * (index + 1)) / parts) - Math.floor((total * index) / parts);
}

/**
 * Combines what has the same place: numbers, elements of arrays, members of objects; anything else is the first one's.
 * What one of them does not tell, the result does not either.
 */
function combined<T>(first: T, second: T, of: (a: number, b: number) => number): T {
  if (second === null || second === undefined) return second;
  if (typeof first === 'number') return of(first, second as number) as T;
  if (first === null || typeof first !== 'object') return first;
  const other = second as Record<string, unknown>;
  const members = Object.entries(first).map(
    ([name, value]) => [name, combined(value, other[name], of)] as const,
  );
  return (Array.isArray(first) ? members.map(([, value]) => value) : Object.fromEntries(members)) as T;
}

const added = <T>(first: T, second: T): T => combined(first, second, (a, b) => a + b);
const subtracted = <T>(first: T, second: T): T => combined(first, second, (a, b) => a - b);
const sumOf = <T>(all: readonly T[]): T => all.reduce((sum, one) => added(sum, one));

/** Sums of all processes, at the first one's time; one carrier carries them all. */
export function sumSnapshots<Body extends SnapshotBody>(all: readonly Body[]): Body {
  const [{ monotonicNs, carrierCpu }] = all as [Body];
  return { ...sumOf(all), monotonicNs, ...(carrierCpu ? { carrierCpu } : {}) };
}

const total = (all: readonly LoadResult[], of: (one: LoadResult) => number) =>
  all.reduce((sum, one) => sum + of(one), 0);

/** What is counted and what is distributed, whether the results are of clients side by side or of windows in a row. */
function pooled(all: readonly LoadResult[]) {
  const merged = (name: 'latency' | 'latencyUncorrected' | 'connect') =>
    mergeLatencies(all.map((one) => one[name]));
  const lags = all.map(({ sendLag }) => sendLag).filter((lag) => lag !== null);
  const counts = ['requests', 'replies', 'bytesIn', 'bytesOut', 'reconnects', 'backlogged'] as const;
  return {
    ...(Object.fromEntries(counts.map((name) => [name, total(all, (one) => one[name])])) as Pick<
      LoadResult,
      (typeof counts)[number]
    >),
    errors: sumOf(all.map(({ errors }) => errors)),
    latency: merged('latency'),
    latencyUncorrected: merged('latencyUncorrected'),
    sendLag: lags.length > 0 ? mergeLatencies(lags) : null,
    connect: merged('connect'),
    saturation: [...new Set(all.flatMap(({ saturation }) => saturation))],
  };
}

/** One result of clients that began together and share a CPU: counts and shares add up, distributions are merged. */
export function mergeLoads(all: readonly LoadResult[]): LoadResult {
  const [first] = all as [LoadResult];
  if (all.length === 1) return first;
  const sum = (of: (one: LoadResult) => number) => total(all, of);
  return {
    ...first,
    ...pooled(all),
    connections: sum(({ connections }) => connections),
    achievedRate: sum(({ achievedRate }) => achievedRate),
    target: all.map(({ target }) => target).join(' '),
    offeredRate: first.offeredRate === null ? null : sum(({ offeredRate }) => offeredRate ?? 0),
    client: {
      ...first.client,
      busyShare: sum(({ client }) => client.busyShare),
      spinShare: sum(({ client }) => client.spinShare),
      cpuUs: sum(({ client }) => client.cpuUs),
    },
  };
}

/** One result of windows in a row against one server: rates and shares are those of their time together. */
export function mergeWindows(all: readonly LoadResult[]): LoadResult {
  const [first] = all as [LoadResult];
  if (all.length === 1) return first;
  const windowNs = total(all, (one) => one.windowNs);
  const mean = (of: (one: LoadResult) => number) => total(all, (one) => of(one) * one.windowNs) / windowNs;
  return {
    ...first,
    ...pooled(all),
    windowNs,
    achievedRate: mean(({ achievedRate }) => achievedRate),
    offeredRate: first.offeredRate === null ? null : mean(({ offeredRate }) => offeredRate ?? 0),
    client: {
      ...first.client,
      busyShare: mean(({ client }) => client.busyShare),
      spinShare: mean(({ client }) => client.spinShare),
      cpuUs: total(all, ({ client }) => client.cpuUs),
    },
  };
}

/**
 * Windows in a row as one: from the first snapshot on, by what was counted in all of them together; what happened
 * between them is left out.
 */
export function sumSpans(all: readonly Span[]): Span {
  const [first] = all as [Span];
  const after = added(first.before, sumOf(all.map((span) => subtracted(span.after, span.before))));
  const cpus = (role: 'server' | 'client') => {
    const each = all.map((span) => span.cpus?.[role] ?? null);
    if (each.includes(null)) return null;
    return each[0]!.map((own, index) => ({
      ...sumOf(each.map((one) => one![index]!)),
      cpu: own.cpu,
    }));
  };
  const [server, client] = [cpus('server'), cpus('client')];
  const waited = all.map(({ waitedUs }) => waitedUs ?? null);
  return {
    before: first.before,
    after,
    cpus: server && client ? { server, client } : null,
    ...(first.link
      ? { link: { ...first.link, cpuUs: all.reduce((sum, { link }) => sum + (link?.cpuUs ?? 0), 0) } }
      : {}),
    waitedUs: waited.includes(null) ? null : (waited as number[]).reduce((sum, us) => sum + us, 0),
  };
}
