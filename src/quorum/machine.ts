/**
 * The state machine that is replicated: registers by key, and for each client its last request with the reply, so that a
 * request that is ordered twice is carried out once (Raft, extended paper, §8; Castro and Liskov, 1999, §4.1).
 */

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

/** A command as it travels and is ordered. */
export function encodeCommand({ client, sequence, operation }: Command): Uint8Array {
  const { kind, key } = operation;
  const rest =
    kind === 'get' ? [] : kind === 'put' ? [operation.value] : [operation.value, operation.expected];
  return encoder.encode(JSON.stringify([client, sequence, kind, key, ...rest]));
}

/** @throws Error when these bytes are no command */
export function decodeCommand(bytes: Uint8Array): Command {
  const parts: unknown = JSON.parse(decoder.decode(bytes));
  if (!Array.isArray(parts)) throw new Error('no command');
  const [client, sequence, kind, key, value, expected] = parts;
  const named = Number.isSafeInteger(client) && Number.isSafeInteger(sequence) && typeof key === 'string';
  if (named && kind === 'get') return { client, sequence, operation: { kind, key } };
  if (named && kind === 'put' && typeof value === 'string')
    return { client, sequence, operation: { kind, key, value } };
  if (named && kind === 'swap' && typeof value === 'string' && typeof expected === 'string')
    return { client, sequence, operation: { kind, key, value, expected } };
  throw new Error('no command');
}

interface Session {
  sequence: number;
  reply: string;
}

/** What a key holds that nobody has written. */
export const UNWRITTEN = '';

export class Machine {
  readonly #values = new Map<string, string>();
  readonly #sessions = new Map<number, Session>();

  /** Carries out a command once. @returns its reply; null: an older one of this client, whose reply is gone */
  apply({ client, sequence, operation }: Command): string | null {
    const session = this.#sessions.get(client);
    if (session !== undefined && sequence <= session.sequence)
      return sequence === session.sequence ? session.reply : null;
    const reply = this.#carryOut(operation);
    this.#sessions.set(client, { sequence, reply });
    return reply;
  }

  /** The reply that a command got; undefined: it was not carried out, or a later one was since. */
  replied(client: number, sequence: number): string | undefined {
    const session = this.#sessions.get(client);
    return session?.sequence === sequence ? session.reply : undefined;
  }

  /** This command, or a later one of its client, was carried out. */
  isDone(client: number, sequence: number): boolean {
    return sequence <= (this.#sessions.get(client)?.sequence ?? -1);
  }

  read(key: string): string {
    return this.#values.get(key) ?? UNWRITTEN;
  }

  #carryOut(operation: Operation): string {
    const found = this.read(operation.key);
    if (operation.kind === 'get') return found;
    const sets = operation.kind === 'put' || found === operation.expected;
    if (sets) this.#values.set(operation.key, operation.value);
    return sets ? 'ok' : 'no';
  }

  /** All of it; equal states have equal bytes. */
  snapshot(): Uint8Array {
    const values = [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1));
    const sessions = [...this.#sessions].sort(([a], [b]) => a - b);
    return encoder.encode(JSON.stringify([values, sessions]));
  }

  static restored(bytes: Uint8Array): Machine {
    const machine = new Machine();
    const [values, sessions] = JSON.parse(decoder.decode(bytes)) as [[string, string][], [number, Session][]];
    for (const [key, value] of values) machine.#values.set(key, value);
    for (const [client, session] of sessions) machine.#sessions.set(client, session);
    return machine;
  }
}
