/** The state of a replica of PBFT. Sections: see messages.ts. */
import type { Agreement, Batch, Message, NewView, Numbered, Output, Seen, ViewChange } from './messages.js';
import { quorumOf } from './replies.js';

export interface PbftConfig {
  /** this replica; all are 0 .. replicas - 1 */
  id: number;
  /** 3 f + 1 of which f may be faulty; with more, f stays the largest for which that holds */
  replicas: number;
  /** batches between checkpoints (K) */
  checkpointEvery: number;
  /** batches that may be under way beyond the last stable checkpoint (L), a multiple of K */
  window: number;
  /** requests in a batch */
  mostRequests: number;
  /** batches that a primary has under way at a time; what comes meanwhile makes the next one */
  mostUnderWay: number;
  /** ticks a request may take until the primary is suspected; doubled by each view change that fails (§2.3.5) */
  requestTicks: number;
  /** ticks between status messages */
  statusTicks: number;
  /** resists collisions; never empty */
  digest(bytes: readonly Uint8Array[]): string;
  /** the bytes are a request of a client, who signed it or gave it a MAC for this replica */
  isAuthentic(request: Uint8Array): boolean;
  /** the request, or a later one of its client, has been carried out here: read before the step's output is */
  isDone(request: Uint8Array): boolean;
}

/** What is known of one sequence number. Of each replica the newest message counts. */
export interface Slot {
  /** of the pre-prepare that was accepted; -1: none */
  view: number;
  digest: string;
  prepares: Map<number, { view: number; digest: string }>;
  commits: Map<number, { view: number; digest: string }>;
  /** prepared, in this view */
  prepared: boolean;
  /** digest of what committed here; null: nothing yet */
  committed: string | null;
}

export interface PbftState {
  readonly config: PbftConfig;
  readonly f: number;
  view: number;
  /** the view is not there yet: this replica waits for its new-view message */
  changing: boolean;
  /** last stable checkpoint (h) */
  stable: Numbered;
  /** last batch that was handed out to be executed, and committed */
  executed: number;
  /** last batch that was handed out, be it tentatively: `executed`, or the one after it */
  handedOut: number;
  /** last sequence number that the primary of this view gave, as far as it is known here */
  assigned: number;
  /** what is to be said in this view and nobody waits for, until there is something to say that somebody does, or a moment passes */
  held: Agreement[];
  readonly slots: Map<number, Slot>;
  /** batches by digest, with the last sequence number they were seen at */
  readonly batches: Map<string, { batch: Batch; sequence: number }>;
  /** P and Q (§3.2.4), of what is not stable */
  readonly prepared: Map<number, Seen>;
  readonly prePrepared: Map<number, Map<string, number>>;
  /** own states at checkpoints, from the last stable one on */
  readonly states: Map<number, { digest: string; data: Uint8Array }>;
  /** checkpoint messages by sequence number and sender */
  readonly checkpoints: Map<number, Map<number, string>>;
  /** requests that wait to be executed, the oldest first, by digest */
  readonly waiting: Map<string, Uint8Array>;
  /** requests a primary has ordered in this view */
  readonly ordered: Set<string>;
  /** ticks for which the oldest of them has waited, or for which the view change has */
  elapsed: number;
  /** view changes in a row that brought nothing */
  failures: number;
  ticks: number;
  /** of each replica its newest view-change message */
  readonly changes: Map<number, { change: ViewChange; digest: string }>;
  /** acks: sender of the view-change, then who vouches */
  readonly acks: Map<number, Map<number, { view: number; digest: string }>>;
  ownChange: ViewChange | null;
  /** what began this view, or what was received for it and cannot be checked yet */
  newView: NewView | null;
  /** a state others have and this replica asks for */
  wanted: Numbered | null;
  /** batches that a view proposes again and that are not here, by digest: for which sequence numbers */
  readonly missing: Map<string, number[]>;
}

export const NULL_DIGEST = '';

export function start(config: PbftConfig): PbftState {
  return {
    config,
    f: Math.floor((config.replicas - 1) / 3),
    view: 0,
    changing: false,
    stable: { sequence: 0, digest: NULL_DIGEST },
    executed: 0,
    handedOut: 0,
    assigned: 0,
    held: [],
    slots: new Map(),
    batches: new Map([[NULL_DIGEST, { batch: [], sequence: Number.POSITIVE_INFINITY }]]),
    prepared: new Map(),
    prePrepared: new Map(),
    states: new Map(),
    checkpoints: new Map(),
    waiting: new Map(),
    ordered: new Set(),
    elapsed: 0,
    failures: 0,
    ticks: 0,
    changes: new Map(),
    acks: new Map(),
    ownChange: null,
    newView: null,
    wanted: null,
    missing: new Map(),
  };
}

export const quorum = ({ config, f }: PbftState): number => quorumOf(config.replicas, f);

export const primaryOf = ({ config }: PbftState, view: number): number => view % config.replicas;
export const isPrimary = (state: PbftState): boolean =>
  primaryOf(state, state.view) === state.config.id && !state.changing;

export function slotAt(state: PbftState, sequence: number): Slot {
  let slot = state.slots.get(sequence);
  if (slot === undefined) {
    slot = {
      view: -1,
      digest: NULL_DIGEST,
      prepares: new Map(),
      commits: new Map(),
      prepared: false,
      committed: null,
    };
    state.slots.set(sequence, slot);
  }
  return slot;
}

/** Between the watermarks: above what is stable, and not further than the window. */
export const isInWindow = ({ stable, config }: PbftState, sequence: number): boolean =>
  Number.isSafeInteger(sequence) && sequence > stable.sequence && sequence <= stable.sequence + config.window;

export function send(output: Output, to: number, message: Message): void {
  output.messages.push({ to, message });
}

export function multicast({ config }: PbftState, output: Output, message: Message): void {
  for (let to = 0; to < config.replicas; to++) if (to !== config.id) send(output, to, message);
}

/** How many of these say `digest` in `view`. */
export function count(
  votes: ReadonlyMap<number, { view: number; digest: string }>,
  view: number,
  digest: string,
): number {
  let matching = 0;
  for (const vote of votes.values()) if (vote.view === view && vote.digest === digest) matching++;
  return matching;
}
