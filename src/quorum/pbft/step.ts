/**
 * PBFT as one function: a replica's state and an input give messages and effects. It has no clock, does no I/O and takes no
 * chances, so that the same inputs give the same outputs; the state is changed in place.
 *
 * The algorithm is that of Castro and Liskov, "Practical Byzantine Fault Tolerance and Proactive Recovery", ACM TOCS 20(4),
 * 2002, §3 (BFT): what a replica says is authenticated for each receiver and never shown to a third, so that vectors of MACs
 * do; whoever seals and opens messages may as well sign them, and nothing here changes. Recovery (§4) is left out: a replica
 * that loses its state counts as faulty.
 */
import { onAgreement, onPrePrepare, onRequest, propose, repeat, sayHeld } from './agreement.js';
import { onCheckpoint, onState, take } from './checkpoints.js';
import type { Input, Message, Output, Status } from './messages.js';
import { multicast, type PbftState, quorum, send } from './state.js';
import {
  fetchMissing,
  leaveFor,
  onAck,
  onBatch,
  onCopy,
  onNewView,
  onViewChange,
  repeatChange,
} from './view-change.js';

/** Sequence numbers of which a replica is told again at a time. */
const MOST_REPEATED = 8;
/** A failed view change doubles the next one's time, up to 2 to this power. */
const MOST_DOUBLINGS = 6;

export function step(state: PbftState, input: Input): Output {
  const output: Output = { messages: [], restored: null, revoked: false, executed: [], checkpoints: [] };
  if (input.kind === 'tick') tick(state, output);
  else if (input.kind === 'moment') sayHeld(state, output);
  else if (input.kind === 'request') onRequest(state, output, input.requests, true);
  else if (input.kind === 'checkpoint') take(state, output, input.sequence, input.data);
  else receive(state, output, input.from, input.message);
  return output;
}

function tick(state: PbftState, output: Output): void {
  const { config } = state;
  for (const [digest, request] of state.waiting)
    if (config.isDone(request)) {
      state.waiting.delete(digest);
      state.elapsed = 0;
    }
  const left = [...state.changes.values()].filter(({ change }) => change.view >= state.view).length;
  const counts = state.changing ? left >= quorum(state) : state.waiting.size > 0;
  if (counts) state.elapsed++;
  const patience = config.requestTicks * 2 ** Math.min(state.failures, MOST_DOUBLINGS);
  if (counts && state.elapsed >= patience) {
    state.failures++;
    leaveFor(state, output, state.view + 1);
  }
  if (++state.ticks % config.statusTicks === 0) tell(state, output);
  propose(state, output);
}

/** Says where this replica is, and asks for what it still misses. */
function tell(state: PbftState, output: Output): void {
  const { view, changing, executed, stable } = state;
  multicast(state, output, { type: 'status', view, changing, executed, stable: stable.sequence });
  fetchMissing(state, output);
  if (state.wanted !== null && state.wanted.sequence <= executed) state.wanted = null;
  if (state.wanted !== null)
    multicast(state, output, { type: 'fetch-state', sequence: state.wanted.sequence });
}

function receive(state: PbftState, output: Output, from: number, message: Message): void {
  switch (message.type) {
    case 'request':
      onRequest(state, output, [message.request], false);
      return;
    case 'pre-prepare':
      onPrePrepare(state, output, from, message);
      return;
    case 'prepare':
    case 'commit':
      onAgreement(state, output, from, message);
      return;
    case 'checkpoint':
      onCheckpoint(state, output, from, message);
      return;
    case 'view-change':
      onViewChange(state, output, from, message);
      return;
    case 'view-change-ack':
      onAck(state, output, from, message);
      return;
    case 'new-view':
      onNewView(state, output, from, message);
      return;
    case 'view-change-copy':
      onCopy(state, output, from, message);
      return;
    case 'status':
      onStatus(state, output, from, message);
      return;
    case 'fetch-batch': {
      const known = state.batches.get(message.digest);
      if (known && known.batch.length > 0) send(output, from, { type: 'batch', batch: known.batch });
      return;
    }
    case 'batch':
      onBatch(state, output, message);
      return;
    case 'fetch-state': {
      const known = state.states.get(message.sequence);
      if (known) send(output, from, { type: 'state', sequence: message.sequence, data: known.data });
      return;
    }
    case 'state':
      onState(state, output, message);
      return;
  }
}

/** Sends a replica again what it misses (§5.2). */
function onStatus(state: PbftState, output: Output, from: number, status: Status): void {
  const { view, changing } = state;
  if (status.view < view || (status.view === view && status.changing)) repeatChange(state, output, from);
  for (const [sequence, { digest }] of state.states)
    if (sequence > status.stable) send(output, from, { type: 'checkpoint', sequence, digest });
  if (status.view !== view || changing || status.changing) return;
  for (let sequence = status.executed + 1; sequence <= status.executed + MOST_REPEATED; sequence++)
    repeat(state, output, from, sequence);
}
