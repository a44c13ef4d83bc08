/**
 * A poller: one backend, its registrations, and the memory through which a whole loop turn passes in one crossing.
 *
 *     const slot = poller.add(descriptor, Interest.read);
 *     const n = poller.turn(changes, timeoutUs);
 *     for (let row = 0; row < n; row++) {
 *       if (!poller.isCurrent(row)) continue;
 *       const slot = poller.events[row * Event.words + Event.slot];
 *       const flags = poller.events[row * Event.words + Event.flags];
 *     }
 *
 * A registration is named by its slot, a small number; tables are indexed by it. On POSIX it is the descriptor, elsewhere
 * it need not be: `descriptorOf` tells.
 *
 * `turn` blocks the thread, so a poller belongs in a process or Worker of its own.
 */
import { getSystemErrorName } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import type { BackendName } from '../contract/common.js';
import { counterNames } from '../contract/names.js';
import type { Capabilities, Counters } from '../contract/server.js';
import { Change, type Interest, layout, Status } from './layout.js';
import { native } from './native.js';
import { requireBackend } from './registry.js';

export { Change, Event, Flag, Interest, REARM } from './layout.js';

export interface PollerOptions {
  backend: BackendName;
  /** rows of the result array: most events one turn can bring */
  maxEvents?: number;
  /** rows of the change array: most changes one turn can take */
  maxChanges?: number;
  /** microseconds that each turn that may wait sleeps before it looks, a million at most; none when left out */
  leastWait?: number;
}

const WORD = Int32Array.BYTES_PER_ELEMENT;

/** The longest a Worker waits before it can be ended. */
const WORKER_WAIT_US = 250_000;

export class Poller {
  readonly backend: BackendName;
  readonly capabilities: Capabilities;
  readonly maxEvents: number;
  readonly maxChanges: number;
  /** rows of `Event.words`: slot, generation, flags, aux */
  readonly events: Int32Array;
  /** rows of `Change.words`: slot, wanted interest (or REARM), errno of the attempt or 0 */
  readonly changes: Int32Array;
  /** names the poller to the addon's other areas */
  readonly handle: number;
  readonly #status: Int32Array;
  /** null while every slot is its descriptor */
  #descriptors: Map<number, number> | null = null;
  readonly #counters = new BigUint64Array(counterNames.length);

  /** @throws BackendUnavailableError */
  constructor({ backend, maxEvents = 1024, maxChanges = 1024, leastWait = 0 }: PollerOptions) {
    requireBackend(backend);
    const eventWords = maxEvents * layout.eventWords;
    const changeWords = maxChanges * layout.changeWords;
    const buffer = new ArrayBuffer((layout.statusWords + eventWords + changeWords) * WORD);
    this.handle = native.pollerOpen(backend, buffer, maxEvents, maxChanges);
    if (leastWait > 0) native.pollerWaitAtLeast(this.handle, leastWait);
    this.backend = backend;
    this.maxEvents = maxEvents;
    this.maxChanges = maxChanges;
    this.capabilities = native.pollerCapabilities(this.handle);
    this.#status = new Int32Array(buffer, 0, layout.statusWords);
    this.events = new Int32Array(buffer, layout.statusWords * WORD, eventWords);
    this.changes = new Int32Array(buffer, (layout.statusWords + eventWords) * WORD, changeWords);
  }

  /**
   * Applies the first `changes` rows of the change array, waits, and fills the event array.
   * @param timeoutUs microseconds, fractions allowed; negative waits for ever, 0 only looks. Never ends early without an
   *   event, except by a signal (see `interrupted`)
   * @returns number of event rows
   * @throws Error with the errno's name as `code` when the wait itself fails
   */
  turn(changes: number, timeoutUs: number): number {
    const count =
      timeoutUs < 0 && !isMainThread
        ? this.#endlessTurn(changes)
        : native.pollerTurn(this.handle, changes, timeoutUs);
    const errno = this.#status[Status.error] as number;
    if (errno !== 0) {
      const code = getSystemErrorName(-errno);
      throw Object.assign(new Error(`${this.capabilities.waitCall} failed: ${code}`), { code, errno });
    }
    return count;
  }

  /** In a Worker: Node ends one only where JavaScript runs, and not within a wait. */
  #endlessTurn(changes: number): number {
    let count = native.pollerTurn(this.handle, changes, WORKER_WAIT_US);
    const { changeErrors } = this;
    while (count === 0 && !this.interrupted && this.#status[Status.error] === 0)
      count = native.pollerTurn(this.handle, 0, WORKER_WAIT_US);
    this.#status[Status.changeErrors] = changeErrors;
    return count;
  }

  /** The last turn filled the event array: more may be ready. */
  get saturated(): boolean {
    return this.#status[Status.saturated] !== 0;
  }

  /** A signal ended the last turn. */
  get interrupted(): boolean {
    return this.#status[Status.interrupted] !== 0;
  }

  /** Changes of the last turn that failed; their rows hold the errno. */
  get changeErrors(): number {
    return this.#status[Status.changeErrors] as number;
  }

  /** Writes row `row` of the change array, for the next turn. */
  change(row: number, slot: number, wanted: Interest | typeof layout.rearm): void {
    this.changes[row * layout.changeWords + Change.slot] = slot;
    this.changes[row * layout.changeWords + Change.wanted] = wanted;
  }

  /** Registers a descriptor. @returns its slot. @throws EBADF, EEXIST, ERANGE */
  add(descriptor: number, interest: Interest): number {
    const slot = native.pollerAdd(this.handle, descriptor, interest);
    if (slot !== descriptor) this.#descriptors ??= new Map();
    this.#descriptors?.set(slot, descriptor);
    return slot;
  }

  /** What is registered under `slot`. */
  descriptorOf(slot: number): number {
    return this.#descriptors === null ? slot : this.#descriptors.get(slot)!;
  }

  /** Changes the interest of a registration. @throws ENOENT */
  modify(slot: number, interest: Interest): number {
    return native.pollerModify(this.handle, slot, interest);
  }

  /** Arms a one-shot registration again with its last interest; free on other backends. @throws ENOENT */
  rearm(slot: number): number {
    return native.pollerRearm(this.handle, slot);
  }

  /** Ends a registration; call it before closing the descriptor. @returns the next generation. @throws ENOENT */
  forget(slot: number): number {
    return native.pollerForget(this.handle, slot);
  }

  /**
   * False when the registration this row speaks of has been forgotten since the turn. Costs a crossing only when any
   * registration has.
   */
  isCurrent(row: number): boolean {
    return this.#status[Status.forgotten] === 0 || native.pollerCurrent(this.handle, row);
  }

  counters(): Counters {
    native.pollerCounters(this.handle, this.#counters);
    return Object.fromEntries(counterNames.map((name, i) => [name, Number(this.#counters[i])])) as Counters;
  }

  /** Frees the backend; registered descriptors stay open. Later calls throw ERR_CLOSED_HANDLE. */
  close(): void {
    native.pollerClose(this.handle);
  }
}

/** @throws BackendUnavailableError */
export function openPoller(options: PollerOptions): Poller {
  return new Poller(options);
}
