/**
 * A module with one instance that stays from request to request, and so has a state. What it exports stands in
 * gateways/host/src/hot/resident.rs, which runs the same modules.
 */
import { Refusal } from './refusal.js';

/** Longest reply, and longest state, bytes. */
const MOST_OUTPUT = 1 << 20;

type Call = (...values: number[]) => number;

/** What has to be there, and what only together. */
const needed = ['buffer', 'handle', 'reply'] as const;
const paired = ['save', 'restore'] as const;

type Calls = Record<(typeof needed)[number], Call> & Partial<Record<(typeof paired)[number], Call>>;

export const isResident = (module: WebAssembly.Module): boolean =>
  WebAssembly.Module.exports(module).some(({ name }) => name === 'handle');

export class Resident {
  readonly #memory: WebAssembly.Memory;
  readonly #calls: Calls;

  /** @throws Error with one sentence when the module is no such one */
  constructor(module: WebAssembly.Module) {
    const [stranger] = WebAssembly.Module.imports(module);
    if (stranger)
      throw new Error(`it imports ${stranger.module}.${stranger.name}: a resident module imports nothing`);
    const has = (name: string, kind: string) =>
      WebAssembly.Module.exports(module).some((one) => one.name === name && one.kind === kind);
    const lacking = needed.find((name) => !has(name, 'function'));
    if (lacking) throw new Error(`it exports no function ${lacking}`);
    if (!has('memory', 'memory')) throw new Error('it exports no memory of that name');
    if (has('save', 'function') !== has('restore', 'function'))
      throw new Error('it exports one of save and restore without the other');
    const { exports } = new WebAssembly.Instance(module, {});
    this.#memory = exports.memory as WebAssembly.Memory;
    this.#calls = exports as unknown as Calls;
  }

  /** After a refusal the instance is in no known state. @throws Refusal */
  run(input: Uint8Array): Uint8Array {
    return this.#guarded(() => this.#take(this.#calls.handle(this.#put(input))));
  }

  /** Its state; null: it hands none over. @throws Refusal */
  save(): Uint8Array | null {
    const { save } = this.#calls;
    return save ? this.#guarded(() => this.#take(save())) : null;
  }

  /** Takes the state of another one. @returns whether it takes any. @throws Refusal */
  restore(state: Uint8Array): boolean {
    const { restore } = this.#calls;
    if (!restore) return false;
    const code = this.#guarded(() => restore(this.#put(state)));
    if (code !== 0) throw new Refusal(500, `it refuses the state of the one before, with ${code}`);
    return true;
  }

  #guarded<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal(500, `the module trapped: ${(error as Error).message}`);
    }
  }

  /** A place outside of the memory throws a RangeError. */
  #at(place: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, place >>> 0, length);
  }

  #put(bytes: Uint8Array): number {
    const place = this.#calls.buffer(bytes.length); // may replace the memory's buffer
    this.#at(place, bytes.length).set(bytes);
    return bytes.length;
  }

  #take(length: number): Uint8Array {
    if (length >>> 0 > MOST_OUTPUT) throw new Refusal(500, 'the module wrote more than 1 MiB');
    return this.#at(this.#calls.reply(), length).slice();
  }
}
