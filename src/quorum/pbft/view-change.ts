/** View changes (§3.2.4), with messages that need no signatures: P, Q and acknowledgements in the place of proofs. */
import { accept, bind, execute, keep } from './agreement.js';
import { makeStable, want } from './checkpoints.js';
import { type Decision, decide } from './decision.js';
import type {
  BatchReply,
  NewView,
  Numbered,
  Output,
  Seen,
  ViewChange,
  ViewChangeAck,
  ViewChangeCopy,
} from './messages.js';
import { multicast, type PbftState, primaryOf, quorum, send } from './state.js';

/** The primary is suspected, or others suspect theirs: this replica asks for `view`. */
export function leaveFor(state: PbftState, output: Output, view: number): void {
  const { config, stable } = state;
  state.view = view;
  state.changing = true;
  state.elapsed = 0;
  state.newView = null;
  state.missing.clear();
  state.ordered.clear();
  state.held.length = 0;
  // What prepared at a quorum is proposed again, with the same number and so the same replies; anything else may not be.
  output.revoked ||= state.handedOut > state.executed;
  state.handedOut = state.executed;
  const checkpoints: Numbered[] = [...state.states].map(([sequence, { digest }]) => ({ sequence, digest }));
  if (!state.states.has(stable.sequence)) checkpoints.push(stable);
  const prePrepared: Seen[] = [];
  for (const [sequence, seen] of state.prePrepared)
    for (const [digest, last] of seen) prePrepared.push({ sequence, digest, view: last });
  const change: ViewChange = {
    type: 'view-change',
    view,
    stable: stable.sequence,
    checkpoints,
    prepared: [...state.prepared.values()],
    prePrepared,
  };
  state.ownChange = change;
  state.changes.set(config.id, { change, digest: digestOf(state, change) });
  multicast(state, output, change);
  join(state, output);
}

/** Of the message as both sides have it. */
function digestOf({ config }: PbftState, change: ViewChange): string {
  const { view, stable, checkpoints, prepared, prePrepared } = change;
  const flat = [view, stable, checkpoints, prepared, prePrepared];
  return config.digest([new TextEncoder().encode(JSON.stringify(flat))]);
}

/** It says nothing that a correct replica could not say. */
function isSound(
  { config }: PbftState,
  { view, stable, checkpoints, prepared, prePrepared }: ViewChange,
): boolean {
  const within = ({ sequence }: Numbered) => sequence > stable && sequence <= stable + config.window;
  const earlier = (seen: Seen) => seen.view >= 0 && seen.view < view && within(seen);
  return (
    checkpoints.every(({ sequence }) => sequence >= stable) &&
    prepared.every(earlier) &&
    new Set(prepared.map(({ sequence }) => sequence)).size === prepared.length &&
    prePrepared.every(earlier)
  );
}

export function onViewChange(state: PbftState, output: Output, from: number, change: ViewChange): void {
  if (change.view < state.view || !isSound(state, change)) return;
  const known = state.changes.get(from);
  if (known !== undefined && known.change.view >= change.view) return; // the first of a view counts
  const digest = digestOf(state, change);
  state.changes.set(from, { change, digest });
  multicast(state, output, { type: 'view-change-ack', view: change.view, sender: from, digest });
  join(state, output);
  tryToBegin(state, output);
}

/** Goes along once one correct replica has left for a later view (§2.3.5). */
function join(state: PbftState, output: Output): void {
  const later = [...state.changes]
    .filter(([sender, { change }]) => sender !== state.config.id && change.view > state.view)
    .map(([, { change }]) => change.view);
  if (later.length > state.f) leaveFor(state, output, Math.min(...later));
}

export function onAck(state: PbftState, output: Output, from: number, ack: ViewChangeAck): void {
  const { view, sender, digest } = ack;
  if (view < state.view || from === sender || !(sender >= 0 && sender < state.config.replicas)) return;
  let acks = state.acks.get(sender);
  if (acks === undefined) {
    acks = new Map();
    state.acks.set(sender, acks);
  }
  if ((acks.get(from)?.view ?? -1) >= view) return;
  acks.set(from, { view, digest });
  tryToBegin(state, output);
}

/** How many besides its sender and `except` vouch for this message. */
function vouching(
  { acks, config }: PbftState,
  sender: number,
  view: number,
  digest: string,
  except: number,
): number {
  return [...(acks.get(sender) ?? [])].filter(
    ([from, ack]) => from !== except && from !== config.id && ack.view === view && ack.digest === digest,
  ).length;
}

function tryToBegin(state: PbftState, output: Output): void {
  if (!state.changing) return;
  if (primaryOf(state, state.view) === state.config.id) beginAsPrimary(state, output);
  else beginAsBackup(state, output);
}

function beginAsPrimary(state: PbftState, output: Output): void {
  const { view, config, f } = state;
  if (state.newView !== null) {
    install(state, output, state.newView);
    return;
  }
  // A quorum has each of these messages: its sender, this replica, and those that acknowledge it.
  const vouched = [...state.changes].filter(
    ([sender, { change, digest }]) =>
      change.view === view &&
      (sender === config.id || vouching(state, sender, view, digest, config.id) >= quorum(state) - 2),
  );
  if (vouched.length < quorum(state)) return;
  const decision = decide(
    vouched.map(([, { change }]) => change),
    quorum(state),
    f,
    config.window,
  );
  if (decision === null) return;
  const changes = vouched.map(([sender, { digest }]) => ({ sender, digest }));
  state.newView = { type: 'new-view', view, changes, ...decision };
  install(state, output, state.newView);
}

export function onNewView(state: PbftState, output: Output, from: number, message: NewView): void {
  const { view } = message;
  if (view < state.view || view === 0 || from !== primaryOf(state, view) || from === state.config.id) return;
  if (view > state.view) {
    // A quorum has left for this view; this replica, which had no reason to, takes part.
    if (message.changes.length < quorum(state)) return;
    const left = [...state.changes].filter(([, { change }]) => change.view >= view).length;
    if (left <= state.f) return;
    leaveFor(state, output, view);
  }
  if (!state.changing) return;
  state.newView ??= message;
  beginAsBackup(state, output);
}

function beginAsBackup(state: PbftState, output: Output): void {
  const { newView, config, f } = state;
  if (newView === null || newView.view !== state.view) return;
  const senders = new Set(newView.changes.map(({ sender }) => sender));
  if (senders.size !== newView.changes.length || senders.size < quorum(state)) return;
  const found: ViewChange[] = [];
  for (const { sender, digest } of newView.changes) {
    const known = state.changes.get(sender);
    if (known?.change.view !== newView.view || known.digest !== digest) return;
    found.push(known.change);
  }
  const decision = decide(found, quorum(state), f, config.window);
  if (decision === null || !isSame(decision, newView)) return;
  install(state, output, newView);
}

const isSame = (a: Decision, b: Decision): boolean => {
  const flat = ({ checkpoint, chosen }: Decision) =>
    JSON.stringify([checkpoint, ...chosen].map(({ sequence, digest }) => [sequence, digest]));
  return flat(a) === flat(b);
};

/**
 * A message that its sender did not give to this replica, in the hands of the primary. Those that acknowledged it and the
 * primary, which names it, are f + 1.
 */
export function onCopy(
  state: PbftState,
  output: Output,
  from: number,
  { sender, change }: ViewChangeCopy,
): void {
  const { newView, view, f } = state;
  if (!state.changing || newView === null || from !== primaryOf(state, view)) return;
  const named = newView.changes.find((one) => one.sender === sender);
  if (named === undefined || change.view !== view || sender === state.config.id) return;
  const digest = digestOf(state, change);
  if (digest !== named.digest || state.changes.get(sender)?.digest === digest) return;
  if (!isSound(state, change) || vouching(state, sender, view, digest, from) < f) return;
  state.changes.set(sender, { change, digest });
  tryToBegin(state, output);
}

/** Begins the view: what was chosen is pre-prepared in it. A primary does so, and says so, when it has all batches. */
function install(state: PbftState, output: Output, newView: NewView): void {
  const { config, view } = state;
  const { checkpoint, chosen } = newView;
  const primary = primaryOf(state, view) === config.id;
  state.missing.clear();
  for (const { sequence, digest } of chosen)
    if (!state.batches.has(digest))
      state.missing.set(digest, [...(state.missing.get(digest) ?? []), sequence]);
  if (primary && state.missing.size > 0) {
    fetchMissing(state, output);
    return;
  }
  if (primary) multicast(state, output, newView);
  // One of those that have it is correct, so that it can be had.
  makeStable(state, checkpoint);
  want(state, checkpoint);
  state.changing = false;
  state.elapsed = 0;
  state.assigned = Math.max(chosen.at(-1)?.sequence ?? 0, state.stable.sequence);
  for (const { sequence, digest } of chosen) {
    if (sequence <= state.stable.sequence) continue;
    bind(state, sequence, digest);
    const known = state.batches.get(digest);
    if (known === undefined) continue;
    known.sequence = Math.max(known.sequence, sequence);
    if (primary) for (const request of known.batch) state.ordered.add(config.digest([request]));
    accept(state, output, sequence, digest);
  }
  fetchMissing(state, output);
  execute(state, output);
}

export function fetchMissing(state: PbftState, output: Output): void {
  for (const digest of state.missing.keys()) multicast(state, output, { type: 'fetch-batch', digest });
}

export function onBatch(state: PbftState, output: Output, { batch }: BatchReply): void {
  const digest = state.config.digest(batch);
  const sequences = state.missing.get(digest);
  if (sequences === undefined) return;
  state.missing.delete(digest);
  for (const sequence of sequences) keep(state, digest, batch, sequence);
  if (state.changing) {
    tryToBegin(state, output);
    return;
  }
  for (const sequence of sequences)
    if (sequence > state.stable.sequence) accept(state, output, sequence, digest);
}

/** What this replica has said of the view it is in, for one that is not there yet. */
export function repeatChange(state: PbftState, output: Output, to: number): void {
  const { ownChange, view, newView, changing, config } = state;
  if (ownChange === null || ownChange.view !== view) return;
  send(output, to, ownChange);
  for (const [sender, { change, digest }] of state.changes)
    if (change.view === view && sender !== to && sender !== config.id)
      send(output, to, { type: 'view-change-ack', view, sender, digest });
  if (changing || newView === null || primaryOf(state, view) !== config.id) return;
  send(output, to, newView);
  for (const { sender } of newView.changes) {
    const known = state.changes.get(sender);
    if (known?.change.view === view && sender !== to)
      send(output, to, { type: 'view-change-copy', sender, change: known.change });
  }
}
