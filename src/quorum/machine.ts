/**
 * The state machine that is replicated: registers by key, and for each client its last request with the reply, so that a
 * request that is ordered twice is carried out once (Raft, extended paper, §8; Castro and Liskov, 1999, §4.1).
 */

import { joined, joinedPieces, piecesOf } from './frames.js';

export type Operation =
  | { kind: 'get'; key: string }
  | { kind: 'put'; key: string; value: string }
  /** sets `value` where `expected` stands; replies whether it did */
  | { kind: 'swap'; key: string; expected: string; value: string };

export interface Command {
  client: number;
  /** ascending by client, which has one request under way at a time */
  sequence: number;
  operation: Operation;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const kinds = ['get', 'put', 'swap'] as const satisfies readonly Operation['kind'][];
const HEAD_BYTES = 8 + 8 + 1;

/** A command as it travels and is ordered: client, sequence (f64, little-endian) and kind, and behind them its texts. */
export function encodeCommand({ client, sequence, operation }: Command): Uint8Array {
  const { kind, key } = operation;
  const head = new Uint8Array(HEAD_BYTES);
  const at = new DataView(head.buffer);
  at.setFloat64(0, client, true);
  at.setFloat64(8, sequence, true);
  head[16] = kinds.indexOf(kind);
  const texts =
    kind === 'get'
      ? [key]
      : kind === 'put'
        ? [key, operation.value]
        : [key, operation.value, operation.expected];
  return joinedPieces([head, ...texts.map((text) => encoder.encode(text))]);
}

/** @throws Error when these bytes are no command */
export function decodeCommand(bytes: Uint8Array): Command {
  const [head, ...texts] = piecesOf(bytes);
  if (head?.length !== HEAD_BYTES || texts.length > 3) throw new Error('no command');
  const at = new DataView(head.buffer, head.byteOffset, head.length);
  const [client, sequence] = [at.getFloat64(0, true), at.getFloat64(8, true)];
  const kind = kinds[head[16]!];
  const [key, value, expected] = texts.map((text) => decoder.decode(text));
  const named = Number.isSafeInteger(client) && Number.isSafeInteger(sequence) && key !== undefined;
  if (named && kind === 'get') return { client, sequence, operation: { kind, key } };
  if (named && kind === 'put' && value !== undefined)
    return { client, sequence, operation: { kind, key, value } };
  if (named && kind === 'swap' && value !== undefined && expected !== undefined)
    return { client, sequence, operation: { kind, key, value, expected } };
  throw new Error('no command');
}

interface Session {
  sequence: number;
  reply: string;
}

function putOrDelete<Key, Value>(map: Map<Key, Value>, key: Key, value: Value | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

/** What a key holds that nobody has written. */
export const UNWRITTEN = '';

export class Machine {
  readonly #values = new Map<string, string>();
  readonly #sessions = new Map<number, Session>();
  /** what stood where something was carried out tentatively; null: nothing was */
  #before: { values: Map<string, string | undefined>; sessions: Map<number, Session | undefined> } | null =
    null;

  /** What is carried out from now on may be taken back, until it is settled. */
  begin(): void {
    this.#before = { values: new Map(), sessions: new Map() };
  }

  /** Something was begun, and is not settled. */
  get isOpen(): boolean {
    return this.#before !== null;
  }

  settle(): void {
    this.#before = null;
  }

  takeBack(): void {
    const { values, sessions } = this.#before ?? { values: [], sessions: [] };
    this.#before = null;
    for (const [key, value] of values) putOrDelete(this.#values, key, value);
    for (const [client, session] of sessions) putOrDelete(this.#sessions, client, session);
  }

  /** Carries out a command once. @returns its reply; null: an older one of this client, whose reply is gone */
  apply({ client, sequence, operation }: Command): string | null {
    const session = this.#sessions.get(client);
    if (session !== undefined && sequence <= session.sequence)
      return sequence === session.sequence ? session.reply : null;
    const reply = this.#carryOut(operation);
    if (this.#before !== null && !this.#before.sessions.has(client))
      this.#before.sessions.set(client, session);
    this.#sessions.set(client, { sequence, reply });
    return reply;
  }

  /** The reply that a command got; undefined: it was not carried out, or a later one was since. */
  replied(client: number, sequence: number): string | undefined {
    const session = this.#sessions.get(client);
    return session?.sequence === sequence ? session.reply : undefined;
  }

  /** This command, or a later one of its client, was carried out for good. */
  isDone(client: number, sequence: number): boolean {
    const settled = this.isTentative(client) ? this.#before!.sessions : this.#sessions;
    return sequence <= (settled.get(client)?.sequence ?? -1);
  }

  /** The last command of this client may be taken back. */
  isTentative(client: number): boolean {
    return this.#before?.sessions.has(client) === true;
  }

  read(key: string): string {
    return this.#values.get(key) ?? UNWRITTEN;
  }

  #carryOut(operation: Operation): string {
    const found = this.read(operation.key);
    if (operation.kind === 'get') return found;
    const sets = operation.kind === 'put' || found === operation.expected;
    if (sets) {
      if (this.#before !== null && !this.#before.values.has(operation.key))
        this.#before.values.set(operation.key, this.#values.get(operation.key));
      this.#values.set(operation.key, operation.value);
    }
    return sets ? 'ok' : 'no';
  }

  /** All of it; equal states have equal bytes. */
  snapshot(): Uint8Array {
    return joined([...this.parts(Number.POSITIVE_INFINITY)]);
  }

  /**
   * The same in parts of about so many bytes, each made when it is asked for: of the state as it is when the first one is,
   * whatever is carried out in between.
   */
  *parts(bytes: number): Generator<Uint8Array> {
    const values = [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1));
    const sessions = [...this.#sessions].sort(([a], [b]) => a - b);
    let pieces = [encoder.encode(JSON.stringify(sessions))];
    let size = 0;
    for (const [key, value] of values) {
      pieces.push(encoder.encode(key), encoder.encode(value));
      size += value.length;
      if (size < bytes) continue;
      yield joinedPieces(pieces);
      [pieces, size] = [[], 0];
    }
    yield joinedPieces(pieces);
  }

  /** @throws Error when these bytes are no state */
  static restored(bytes: Uint8Array): Machine {
    const machine = new Machine();
    const [sessions, ...values] = piecesOf(bytes);
    if (sessions === undefined || values.length % 2 !== 0) throw new Error('no state');
    for (const [client, session] of JSON.parse(decoder.decode(sessions)) as [number, Session][])
      machine.#sessions.set(client, session);
    for (let i = 0; i < values.length; i += 2)
      machine.#values.set(decoder.decode(values[i]), decoder.decode(values[i + 1]));
    return machine;
  }
}
