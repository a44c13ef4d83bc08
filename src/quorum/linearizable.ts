/**
 * Whether a history of operations on registers is linearizable (Herlihy and Wing, 1990): whether each can be given an instant
 * between its call and its return so that, in that order, every reply is what one machine alone would have said.
 *
 * The search is Wing and Gong's ("Testing and Verifying Concurrent Objects", 1993) with Lowe's configurations that are never
 * looked into twice ("Testing for Linearizability", 2017), key by key, because a history is linearizable if that of each
 * object is (Herlihy and Wing, theorem 1; Horn and Kroening, "Faster Linearizability Checking via P-compositionality", 2015).
 * It is exponential only in how many operations of one key are under way at a time.
 */
import { type Operation, UNWRITTEN } from './machine.js';

export interface Called {
  operation: Operation;
  /** instants of any clock that all of them share */
  called: number;
  /** Infinity: nobody knows whether it was carried out, or ever will be */
  returned: number;
  /** of one that did not return, anything */
  reply: string;
}

export type Verdict =
  | { linearizable: true }
  /** `explained` operations of that key, at most, can be put in order; `history` is all of them */
  | { linearizable: false; key: string; explained: number; history: Called[] };

/** Of one key; each is some hundred bytes. */
const mostConfigurations = 2_000_000;

/** So many calls of one key were under way at a time that what was looked into does not tell. */
export class Undecided extends Error {
  override readonly name = 'Undecided';
}

/**
 * @param most configurations of one key that are looked into
 * @throws Undecided
 */
export function checkHistory(history: readonly Called[], most = mostConfigurations): Verdict {
  const byKey = new Map<string, Called[]>();
  for (const one of history) {
    const { key } = one.operation;
    const known = byKey.get(key);
    if (known) known.push(one);
    else byKey.set(key, [one]);
  }
  for (const [key, calls] of byKey) {
    const explained = explain(telling(calls), most);
    if (explained !== true) return { linearizable: false, key, explained, history: calls };
  }
  return { linearizable: true };
}

/**
 * Without calls that never returned and that nobody can have noticed, each of which would double what is searched: reads, and
 * writes of what nobody read or found to be there. They need no instant, and nothing needs theirs: but for a swap that found
 * something else than it expected, which may have been anything.
 */
function telling(calls: readonly Called[]): readonly Called[] {
  const returned = calls.filter((one) => one.returned !== Number.POSITIVE_INFINITY);
  if (returned.some(({ operation, reply }) => operation.kind === 'swap' && reply === 'no')) return calls;
  const noticed = new Set(
    calls.flatMap(({ operation, reply }) =>
      operation.kind === 'get' ? [reply] : operation.kind === 'swap' ? [operation.expected] : [],
    ),
  );
  return calls.filter(
    ({ operation, returned: at }) =>
      at !== Number.POSITIVE_INFINITY || (operation.kind !== 'get' && noticed.has(operation.value)),
  );
}

/** What a register holds after an operation; null: it would not have replied so. */
function after(value: string, { operation, reply, returned }: Called): string | null {
  const unknown = returned === Number.POSITIVE_INFINITY;
  if (operation.kind === 'get') return unknown || reply === value ? value : null;
  if (operation.kind === 'put') return unknown || reply === 'ok' ? operation.value : null;
  const swaps = value === operation.expected;
  if (!unknown && reply !== (swaps ? 'ok' : 'no')) return null;
  return swaps ? operation.value : value;
}

/** A call or a return, in a list of them by time from which what is put in order is taken out. */
interface Happening {
  call: number;
  isReturn: boolean;
  previous: Happening | null;
  next: Happening | null;
}

interface Choice {
  call: number;
  value: string;
}

/** A set of calls that can be the key of a table. */
class Chosen {
  readonly #words: Uint32Array;

  constructor(size: number) {
    this.#words = new Uint32Array(Math.ceil(size / 32));
  }

  flip(call: number): void {
    this.#words[call >> 5]! ^= 1 << (call & 31);
  }

  with(value: string): string {
    return `${this.#words.join()}:${value}`;
  }
}

/** @returns true, or how many could be put in order at most */
function explain(calls: readonly Called[], mostSeen: number): true | number {
  const { list, calledAt, returnedAt } = happenings(calls);
  const chosen = new Chosen(calls.length);
  const seen = new Set<string>();
  const choices: Choice[] = [];
  let value = UNWRITTEN;
  let most = 0;
  let mustReturn = calls.filter(({ returned }) => returned !== Number.POSITIVE_INFINITY).length;
  let at = list.next;
  // The rest of the list may be calls that never returned: they need no place.
  while (mustReturn > 0) {
    if (at !== null && !at.isReturn) {
      const { call } = at;
      const next = after(value, calls[call]!);
      if (next !== null && isNew(call, next)) {
        choices.push({ call, value });
        most = Math.max(most, choices.length);
        value = next;
        takeOut(at);
        if (returnedAt[call] !== null) {
          takeOut(returnedAt[call]!);
          mustReturn--;
        }
        at = list.next;
      } else {
        at = at.next;
      }
      continue;
    }
    // Something returned before it was put in order: an earlier choice was wrong.
    const last = choices.pop();
    if (last === undefined) return most;
    chosen.flip(last.call);
    value = last.value;
    const back = calledAt[last.call]!;
    if (returnedAt[last.call] !== null) {
      putBack(returnedAt[last.call]!);
      mustReturn++;
    }
    putBack(back);
    at = back.next;
  }
  return true;

  /** Chooses the call if that leads to where the search has not been (Lowe, §3.2). */
  function isNew(call: number, next: string): boolean {
    chosen.flip(call);
    const configuration = chosen.with(next);
    if (!seen.has(configuration)) {
      if (seen.size === mostSeen)
        throw new Undecided(
          `whether ${calls.length} calls of key '${calls[0]!.operation.key}' are linearizable is not decided: ${seen.size} orders were looked into`,
        );
      seen.add(configuration);
      return true;
    }
    chosen.flip(call);
    return false;
  }
}

/** Calls and returns by time; at one instant calls come first, so that what touches counts as being under way together. */
function happenings(calls: readonly Called[]) {
  const calledAt = calls.map((_, call): Happening => ({ call, isReturn: false, previous: null, next: null }));
  const returnedAt = calls.map(({ returned }, call): Happening | null =>
    returned === Number.POSITIVE_INFINITY ? null : { call, isReturn: true, previous: null, next: null },
  );
  const timeOf = ({ call, isReturn }: Happening) => (isReturn ? calls[call]!.returned : calls[call]!.called);
  const all = [...calledAt, ...returnedAt.filter((one) => one !== null)].sort(
    (a, b) => timeOf(a) - timeOf(b) || Number(a.isReturn) - Number(b.isReturn),
  );
  const list: Happening = { call: -1, isReturn: false, previous: null, next: null };
  let last = list;
  for (const one of all) {
    last.next = one;
    one.previous = last;
    last = one;
  }
  return { list, calledAt, returnedAt };
}

function takeOut(one: Happening): void {
  one.previous!.next = one.next;
  if (one.next) one.next.previous = one.previous;
}

/** In the reverse order of taking out. */
function putBack(one: Happening): void {
  one.previous!.next = one;
  if (one.next) one.next.previous = one;
}
