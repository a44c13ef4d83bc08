/** Checkpoints and garbage collection (§2.3.4), and states of others (§4.6.2, as a whole). */
import { execute } from './agreement.js';
import type { Checkpoint, Numbered, Output, StateReply } from './messages.js';
import { multicast, type PbftState, quorum } from './state.js';

/** The machine's state after the batch `sequence`. */
export function take(state: PbftState, output: Output, sequence: number, data: Uint8Array): void {
  if (sequence <= state.stable.sequence && state.states.has(sequence)) return;
  const digest = state.config.digest([data]);
  state.states.set(sequence, { digest, data });
  multicast(state, output, { type: 'checkpoint', sequence, digest });
  onCheckpoint(state, output, state.config.id, { type: 'checkpoint', sequence, digest });
}

export function onCheckpoint(state: PbftState, output: Output, from: number, message: Checkpoint): void {
  const { sequence, digest } = message;
  const { config, f } = state;
  if (sequence <= state.stable.sequence || sequence % config.checkpointEvery !== 0) return;
  let votes = state.checkpoints.get(sequence);
  if (votes === undefined) {
    // Of each replica no more than a window's worth: who is far ahead has its newest.
    dropOldest(state, from);
    votes = new Map();
    state.checkpoints.set(sequence, votes);
  }
  if (votes.has(from)) return;
  votes.set(from, digest);
  const matching = [...votes.values()].filter((other) => other === digest).length;
  const own = state.states.get(sequence);
  if (matching >= quorum(state) && own?.digest === digest) makeStable(state, { sequence, digest });
  // One of f + 1 is correct, so that this is the state; who is not there yet gets it from others.
  if (matching > f) want(state, { sequence, digest });
  execute(state, output);
}

/** Forgets the oldest checkpoint of which only this replica speaks, if it speaks of too many. */
function dropOldest(state: PbftState, from: number): void {
  const { window, checkpointEvery } = state.config;
  const alone = [...state.checkpoints].filter(([, votes]) => votes.size === 1 && votes.has(from));
  if (alone.length > window / checkpointEvery)
    state.checkpoints.delete(Math.min(...alone.map(([sequence]) => sequence)));
}

/** Everything up to here is settled for good. */
export function makeStable(state: PbftState, { sequence, digest }: Numbered): void {
  if (sequence <= state.stable.sequence) return;
  state.stable = { sequence, digest };
  const perSequence: Map<number, unknown>[] = [
    state.slots,
    state.prepared,
    state.prePrepared,
    state.checkpoints,
  ];
  for (const table of perSequence) for (const at of table.keys()) if (at <= sequence) table.delete(at);
  for (const at of state.states.keys()) if (at < sequence) state.states.delete(at);
  for (const [name, known] of state.batches) if (known.sequence <= sequence) state.batches.delete(name);
  state.assigned = Math.max(state.assigned, sequence);
}

/** Gets this state from others, if it is not reached by executing before the next status message leaves. */
export function want(state: PbftState, wanted: Numbered): void {
  if (wanted.sequence > state.executed && wanted.sequence > (state.wanted?.sequence ?? 0))
    state.wanted = wanted;
}

export function onState(state: PbftState, output: Output, { sequence, data }: StateReply): void {
  const { wanted } = state;
  if (wanted === null || wanted.sequence !== sequence || state.config.digest([data]) !== wanted.digest)
    return;
  state.wanted = null;
  if (sequence <= state.executed) return;
  output.restored = { sequence, data };
  state.executed = sequence;
  state.handedOut = sequence;
  state.assigned = Math.max(state.assigned, sequence);
  take(state, output, sequence, data);
  execute(state, output);
}
