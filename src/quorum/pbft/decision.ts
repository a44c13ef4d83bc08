/**
 * Where a view begins and what is proposed in it again, from view-change messages: the decision procedure of figure 3 in
 * Castro and Liskov, 2002 (§3.2.4). Primary and backups come to the same, because it is a function of the messages alone.
 *
 * It needs no proofs that could be shown to others, so MACs do: what committed anywhere prepared at a quorum and so is in P of
 * some correct replica of any quorum (A1 cannot be had by anything else); and what has A2 was pre-prepared by a correct
 * replica, so that a liar's P proposes nothing.
 */
import type { NewView, Numbered, Seen, ViewChange } from './messages.js';

export type Decision = Pick<NewView, 'checkpoint' | 'chosen'>;

/** @returns null: these messages do not decide yet, more will */
export function decide(
  changes: readonly ViewChange[],
  quorum: number,
  f: number,
  window: number,
): Decision | null {
  const checkpoint = newest(changes, quorum, f);
  if (checkpoint === null) return null;
  const last = Math.max(
    checkpoint.sequence,
    ...changes.flatMap(({ prepared }) => prepared.map(({ sequence }) => sequence)),
  );
  const chosen: Numbered[] = [];
  const end = Math.min(last, checkpoint.sequence + window);
  for (let sequence = checkpoint.sequence + 1; sequence <= end; sequence++) {
    const digest = choose(changes, quorum, f, sequence);
    if (digest === null) return null;
    chosen.push({ sequence, digest });
  }
  return { checkpoint, chosen };
}

/** The newest checkpoint that a correct replica has, and that a quorum can go on from. */
function newest(changes: readonly ViewChange[], quorum: number, f: number): Numbered | null {
  let best: Numbered | null = null;
  for (const candidate of changes.flatMap(({ checkpoints }) => checkpoints)) {
    const { sequence, digest } = candidate;
    if (best !== null && best.sequence >= sequence) continue;
    const reached = changes.filter(({ stable }) => stable <= sequence).length;
    const held = changes.filter(({ checkpoints }) =>
      checkpoints.some((one) => one.sequence === sequence && one.digest === digest),
    ).length;
    if (reached >= quorum && held > f) best = { sequence, digest };
  }
  return best;
}

/** @returns the digest to propose again, empty for the null request; null: not decided */
function choose(changes: readonly ViewChange[], quorum: number, f: number, sequence: number): string | null {
  const at = (seen: readonly Seen[]) => seen.filter((one) => one.sequence === sequence);
  const below = changes.filter(({ stable }) => stable < sequence);
  for (const { view, digest } of changes.flatMap(({ prepared }) => at(prepared))) {
    const compatible = below.filter(({ prepared }) =>
      at(prepared).every((other) => other.view < view || (other.view === view && other.digest === digest)),
    ).length;
    const vouched = changes.filter(({ prePrepared }) =>
      at(prePrepared).some((other) => other.view >= view && other.digest === digest),
    ).length;
    if (compatible >= quorum && vouched > f) return digest; // A1 and A2
  }
  const without = below.filter(({ prepared }) => at(prepared).length === 0).length;
  return without >= quorum ? '' : null; // B
}
