/**
 * The normal case (§2.3.3): pre-prepare, prepare, commit, execution; and what takes the third of these off a client's way
 * (§5.1.2). A batch that has prepared is executed tentatively if all before it has committed. What nobody waits for leaves with what
 * is said of the next batch, or a moment later: the commit message of the newest one, and what a replica says that comes last.
 */
import type { Agreement, Batch, Output, PrePrepare } from './messages.js';
import {
  count,
  isInWindow,
  isPrimary,
  multicast,
  NULL_DIGEST,
  type PbftState,
  primaryOf,
  quorum,
  send,
  slotAt,
} from './state.js';

/** A primary orders what waits. */
export function propose(state: PbftState, output: Output): void {
  const { config } = state;
  while (isPrimary(state) && state.assigned - state.handedOut < config.mostUnderWay) {
    const batch: Uint8Array[] = [];
    for (const [digest, request] of state.waiting) {
      if (batch.length === config.mostRequests) break;
      if (state.ordered.has(digest)) continue;
      batch.push(request);
    }
    const sequence = state.assigned + 1;
    if (batch.length === 0 || !isInWindow(state, sequence)) return;
    for (const request of batch) state.ordered.add(config.digest([request]));
    state.assigned = sequence;
    const digest = config.digest(batch);
    sayHeld(state, output);
    multicast(state, output, { type: 'pre-prepare', view: state.view, sequence, digest, batch });
    keep(state, digest, batch, sequence);
    accept(state, output, sequence, digest);
  }
}

export function keep(state: PbftState, digest: string, batch: Batch, sequence: number): void {
  const known = state.batches.get(digest);
  if (known === undefined) state.batches.set(digest, { batch, sequence });
  else known.sequence = Math.max(known.sequence, sequence);
}

export function onPrePrepare(state: PbftState, output: Output, from: number, message: PrePrepare): void {
  const { view, sequence, digest, batch } = message;
  if (view !== state.view || state.changing || from !== primaryOf(state, view)) return;
  if (from === state.config.id || !isInWindow(state, sequence)) return;
  if (slotAt(state, sequence).view === view) return; // one a view: another digest would be equivocation
  if (digest === NULL_DIGEST || batch.length === 0 || digest !== state.config.digest(batch)) return;
  if (!batch.every((request) => state.config.isAuthentic(request))) return;
  keep(state, digest, batch, sequence);
  accept(state, output, sequence, digest);
}

/** In the present view nothing else can be pre-prepared here. */
export function bind(state: PbftState, sequence: number, digest: string): void {
  const slot = slotAt(state, sequence);
  slot.view = state.view;
  slot.digest = digest;
  slot.prepared = false;
}

/** This batch, which is here, is pre-prepared in the present view. */
export function accept(state: PbftState, output: Output, sequence: number, digest: string): void {
  const { view, config } = state;
  bind(state, sequence, digest);
  const slot = slotAt(state, sequence);
  let seen = state.prePrepared.get(sequence);
  if (seen === undefined) {
    seen = new Map();
    state.prePrepared.set(sequence, seen);
  }
  seen.set(digest, view);
  state.assigned = Math.max(state.assigned, sequence);
  if (primaryOf(state, view) !== config.id) {
    const isLate = count(slot.prepares, view, digest) >= quorum(state) - 1;
    slot.prepares.set(config.id, { view, digest });
    state.held.push({ type: 'prepare', view, sequence, digest });
    // Those who have said so before are enough for everybody whom they told.
    if (!isLate) sayHeld(state, output);
  }
  progress(state, output, sequence);
}

export function onAgreement(state: PbftState, output: Output, from: number, message: Agreement): void {
  const { type, view, sequence, digest } = message;
  if (view < state.view || !isInWindow(state, sequence)) return;
  if (type === 'prepare' && from === primaryOf(state, view)) return; // its pre-prepare is its word
  const slot = slotAt(state, sequence);
  const votes = type === 'prepare' ? slot.prepares : slot.commits;
  const before = votes.get(from);
  if (before !== undefined && before.view >= view) return; // one a view
  votes.set(from, { view, digest });
  if (view === state.view && !state.changing) progress(state, output, sequence);
}

/** Prepared: the pre-prepare and a quorum less one of prepares. Committed: prepared, and a quorum of commits. */
function progress(state: PbftState, output: Output, sequence: number): void {
  const { view, config } = state;
  const slot = slotAt(state, sequence);
  const { digest } = slot;
  if (slot.view !== view || !state.batches.has(digest)) return;
  if (!slot.prepared && count(slot.prepares, view, digest) >= quorum(state) - 1) {
    slot.prepared = true;
    state.prepared.set(sequence, { sequence, digest, view });
    slot.commits.set(config.id, { view, digest });
    state.held.push({ type: 'commit', view, sequence, digest });
    // What comes after it waits for it; the last one waits for company.
    if (state.assigned > sequence) sayHeld(state, output);
    execute(state, output);
  }
  if (slot.prepared && slot.committed === null && count(slot.commits, view, digest) >= quorum(state)) {
    slot.committed = digest;
    execute(state, output);
  }
}

/** Says what was held back. */
export function sayHeld(state: PbftState, output: Output): void {
  for (const message of state.held.splice(0)) multicast(state, output, message);
}

/** Hands out what committed, without gaps, and of what prepared the one batch that follows. */
export function execute(state: PbftState, output: Output): void {
  for (;;) {
    const sequence = state.executed + 1;
    const digest = state.slots.get(sequence)?.committed ?? null;
    const known = digest === null ? undefined : state.batches.get(digest);
    if (digest === null || known === undefined) break;
    state.executed = sequence;
    state.handedOut = Math.max(state.handedOut, sequence);
    output.executed.push({ sequence, digest, batch: known.batch, tentative: false });
    for (const request of known.batch) settle(state, state.config.digest([request]));
    if (sequence % state.config.checkpointEvery === 0) output.checkpoints.push(sequence);
  }
  executeNext(state, output);
  propose(state, output);
}

function executeNext(state: PbftState, output: Output): void {
  const sequence = state.executed + 1;
  const slot = state.slots.get(sequence);
  if (state.changing || state.handedOut >= sequence || !slot?.prepared || slot.view !== state.view) return;
  const known = state.batches.get(slot.digest);
  if (known === undefined) return;
  state.handedOut = sequence;
  output.executed.push({ sequence, digest: slot.digest, batch: known.batch, tentative: true });
}

/** A request waits no longer; the next one has its time from now on. */
function settle(state: PbftState, digest: string): void {
  const [oldest] = state.waiting.keys();
  state.waiting.delete(digest);
  state.ordered.delete(digest);
  state.failures = 0;
  if (oldest === digest) state.elapsed = 0;
}

export function onRequest(
  state: PbftState,
  output: Output,
  requests: readonly Uint8Array[],
  isClient: boolean,
): void {
  const { config } = state;
  for (const request of requests) {
    if (!config.isAuthentic(request) || config.isDone(request)) continue;
    const digest = config.digest([request]);
    if (state.waiting.size === 0) state.elapsed = 0;
    state.waiting.set(digest, request);
    const primary = primaryOf(state, state.view);
    if (isClient && primary !== config.id && !state.changing)
      send(output, primary, { type: 'request', request });
  }
  propose(state, output);
}

/** What this replica has said of a sequence number in this view, once more. */
export function repeat(state: PbftState, output: Output, to: number, sequence: number): void {
  const { view, config } = state;
  const slot = state.slots.get(sequence);
  if (slot === undefined || slot.view !== view) return;
  const { digest } = slot;
  const known = state.batches.get(digest);
  if (known === undefined) return;
  if (primaryOf(state, view) !== config.id) send(output, to, { type: 'prepare', view, sequence, digest });
  else if (digest !== NULL_DIGEST)
    send(output, to, { type: 'pre-prepare', view, sequence, digest, batch: known.batch });
  if (slot.prepared) send(output, to, { type: 'commit', view, sequence, digest });
}
