/** What a client saw of exchanges under load, made of all it asked. A pure function. */
import type { Failures, Placements, UpdateResult } from '../src/contract/update.js';
import { emptyHistogram, latencyOfHistogram } from '../src/load/histogram.js';

/** One request; times are readings of one clock, nanoseconds. */
export interface Asked {
  /** when it was to leave */
  dueNs: number;
  sentNs: number;
  /** when its reply was whole, or it was given up */
  endNs: number;
  /** which of the client's connections it went over */
  connection: number;
  failed: keyof Failures | null;
  /** that answered; null: none did */
  version: number | null;
}

/** Replies of an older version to requests that left after a newer one had come. */
function mixed(answered: readonly Asked[]): number {
  const byEnd = [...answered].sort((a, b) => a.endNs - b.endNs);
  let at = 0;
  let newest = -1;
  let count = 0;
  for (const { sentNs, version } of [...answered].sort((a, b) => a.sentNs - b.sentNs)) {
    for (; at < byEnd.length && byEnd[at]!.endNs <= sentNs; at++)
      newest = Math.max(newest, byEnd[at]!.version!);
    if (version! < newest) count += 1;
  }
  return count;
}

/** When each connection had its first reply of that version or a newer one. */
function firstByConnection(answered: readonly Asked[], wanted: number): number[] {
  const first = new Map<number, number>();
  for (const { connection, version, endNs } of answered)
    if (version! >= wanted) first.set(connection, Math.min(endNs, first.get(connection) ?? endNs));
  return [...first.values()];
}

/** @param windowNs an exchange lasts so long at least, or until every connection had the new version */
export function summary(
  asked: readonly Asked[],
  places: Placements,
  windowNs: number,
): Omit<UpdateResult, 'elapsedNs'> {
  const answered = asked.filter(({ version }) => version !== null);
  const swaps = places.map(({ version, ns }, at) => {
    const firsts = firstByConnection(answered, version);
    const [firstNs, allNs] = [Math.min(...firsts) - ns, Math.max(...firsts) - ns];
    const until = Math.min(ns + Math.max(windowNs, allNs), places[at + 1]?.ns ?? Number.POSITIVE_INFINITY);
    return { version, ns, until, firstNs, allNs };
  });
  const within = ({ dueNs }: Asked) => swaps.find(({ ns, until }) => dueNs >= ns && dueNs < until);
  const [during, steady] = [emptyHistogram(), emptyHistogram()];
  const failures: Failures = { refused: 0, broken: 0, status: 0, timeout: 0 };
  const failed = new Map<number, number>();
  for (const one of asked) {
    const swap = within(one);
    if (one.failed === null)
      (swap ? during : steady).recordValue(Math.max(1, Math.round(one.endNs - one.dueNs)));
    else {
      failures[one.failed] += 1;
      if (swap) failed.set(swap.version, (failed.get(swap.version) ?? 0) + 1);
    }
  }
  return {
    event: 'result',
    requests: asked.length,
    replies: answered.length,
    failures,
    mixed: mixed(answered),
    swaps: swaps.map(({ version, firstNs, allNs }) => ({
      version,
      firstNs,
      allNs,
      failed: failed.get(version) ?? 0,
    })),
    windowNs,
    during: latencyOfHistogram(during),
    steady: latencyOfHistogram(steady),
  };
}
