/**
 * A server's connections, or its datagrams, on a completion engine (io_uring): what came arrives as rows of one typed array,
 * replies go out as one submission, and both in one call per turn. It stands beside the pollers and is none of them.
 *
 *     const count = engine.turn(replies, -1);
 *     for (let row = 0, at = 0; row < count; row++, at += Row.words) {
 *       switch (engine.rows[at + Row.kind]) { ... }
 *     }
 *
 * `turn` blocks the thread, so an engine belongs in a process or Worker of its own, and in the thread that opened it.
 */
import { isMainThread } from 'node:worker_threads';
import { addon } from '../addon.js';
import type { EngineName } from '../contract/common.js';
import { counterNames } from '../contract/names.js';
import type { Counters, EngineFacts } from '../contract/server.js';

/** What an engine counts of its connections and datagrams. */
export interface EngineCounts {
  accepted: number;
  closed: number;
  bytesIn: number;
  bytesOut: number;
  /** connections turned away, and datagrams of senders that get no answer */
  refused: number;
  /** datagrams answered */
  answered: number;
  /** answers to datagrams that the kernel did not take */
  unsent: number;
}

interface CompletionExports {
  engines(): EngineProbe[];
  /** bytes that one turn may bring */
  completionRoom(args: readonly string[]): number;
  completionOpen(
    args: readonly string[],
    rows: number,
    buffer: ArrayBuffer,
    slab: ArrayBuffer,
    receiveFrom: number,
  ): number;
  completionClose(handle: number): void;
  completionTurn(handle: number, replies: number, timeoutUs: number): number;
  completionKeep(handle: number, replies: number): void;
  completionWatch(handle: number, fd: number): void;
  completionFacts(handle: number): { listener: number; slots: number; engine: string };
  completionCounters(handle: number, into: BigUint64Array): EngineCounts;
}

export interface EngineProbe {
  name: EngineName;
  available: boolean;
  /** why not, for a person; empty when available */
  reason: string;
}

const native = addon<CompletionExports>();

/** Every engine the suite knows, each really opened once to see whether this system has it. */
export const listEngines = (): EngineProbe[] => native.engines();

/** Words of a row of what came; see native/addon/completion.cc. */
export const Row = { kind: 0, slot: 1, offset: 2, length: 3, words: 4 } as const;
/** bytes in the slab: of a connection, or a datagram, whose number in the place of the slot is good for the next turn's replies */
export const RECEIVED = 0;
/** a connection ended, and its slot may be another's from now on */
export const GONE = 1;
/** a watched descriptor, in the place of the slot, can be read */
export const CONTROL = 2;

const REPLY_WORDS = 4;
const WORD = Int32Array.BYTES_PER_ELEMENT;

/** The longest a Worker waits before it can be ended. */
const WORKER_WAIT_US = 250_000;

export class CompletionEngine {
  readonly slab: Uint8Array;
  /** rows of `Row.words`: what the last turn brought */
  readonly rows: Int32Array;
  readonly facts: EngineFacts;
  /** descriptor of the listener, or of the first port */
  readonly listener: number;
  /** slots of connections are below this */
  readonly slots: number;
  /** most replies of a turn */
  readonly most: number;
  readonly #replies: Int32Array;
  readonly #handle: number;
  readonly #counters = new BigUint64Array(counterNames.length);

  /**
   * Opens the engine and listens.
   * @param args as of a native server program, whose protocol says whether there are connections or datagrams
   * @param rows room for what one turn brings; a turn takes half as many completions
   * @param receiveFrom where received bytes begin in the slab; before it is the caller's
   * @throws Error with one sentence; its code is ERR_BACKEND_UNAVAILABLE where there is no such engine
   */
  constructor(args: readonly string[], rows: number, receiveFrom: number) {
    const words = rows * Row.words;
    const buffer = new ArrayBuffer((words + rows * REPLY_WORDS) * WORD);
    const slab = new ArrayBuffer(receiveFrom + native.completionRoom(args));
    this.#handle = native.completionOpen(args, rows, buffer, slab, receiveFrom);
    this.slab = new Uint8Array(slab);
    this.rows = new Int32Array(buffer, 0, words);
    this.#replies = new Int32Array(buffer, words * WORD);
    this.most = rows;
    const { listener, slots, engine } = native.completionFacts(this.#handle);
    this.listener = listener;
    this.slots = slots;
    this.facts = JSON.parse(engine) as EngineFacts;
  }

  /** Writes row `row` of the replies, for the next turn: bytes of the slab, and whether they are the last ones. */
  reply(row: number, slot: number, offset: number, length: number, closes: boolean): void {
    const at = row * REPLY_WORDS;
    const replies = this.#replies;
    replies[at] = slot;
    replies[at + 1] = offset;
    replies[at + 2] = length;
    replies[at + 3] = closes ? 1 : 0;
  }

  /**
   * Sends the first `replies` replies, waits, and fills the rows.
   * @param timeoutUs microseconds; negative waits for ever, 0 only looks
   * @returns number of rows; 0 when the time was over, a signal came, or there was nothing that anybody has to know
   * @throws Error with the errno's name as `code` when entering the ring fails
   */
  turn(replies: number, timeoutUs: number): number {
    const waits = timeoutUs < 0 && !isMainThread ? WORKER_WAIT_US : timeoutUs;
    return native.completionTurn(this.#handle, replies, waits);
  }

  /** Takes the first `replies` replies for the next turn now, so that their bytes may change and their rows be used again. */
  keep(replies: number): void {
    native.completionKeep(this.#handle, replies);
  }

  /** Has rows of control tell when a descriptor can be read. */
  watch(descriptor: number): void {
    native.completionWatch(this.#handle, descriptor);
  }

  counts(): EngineCounts & { counters: Counters } {
    const counts = native.completionCounters(this.#handle, this.#counters);
    const counters = Object.fromEntries(counterNames.map((name, i) => [name, Number(this.#counters[i])]));
    return { ...counts, counters: counters as Counters };
  }

  close(): void {
    native.completionClose(this.#handle);
  }
}
