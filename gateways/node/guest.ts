/**
 * A wasm32-wasip1 command in this process: compiled once, a fresh instance for each input. It is given what a command
 * needs that reads its stdin and writes its stdout, and nothing else of the machine.
 */
import { randomFillSync } from 'node:crypto';
import { Refusal } from './refusal.js';

/** Longest output, bytes. */
const MOST_OUTPUT = 1 << 20;

/** errno of WASI */
const SUCCESS = 0;
const BADF = 8;
const FAULT = 21;
const NOSYS = 52;

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const CHARACTER_DEVICE = 2;
const REALTIME = 0;

const WASI = 'wasi_snapshot_preview1';

/** proc_exit: ends the instance from within. */
class Exit extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

/** What one run reads and has written. */
class Streams {
  taken = 0;
  length = 0;
  readonly written: Uint8Array[] = [];

  /** once there is an instance */
  memory!: WebAssembly.Memory;

  constructor(readonly input: Uint8Array) {}
}

export class Guest {
  readonly #module: WebAssembly.Module;
  readonly #imports: WebAssembly.Imports;
  /** of the instance that runs: they run one after the other */
  #streams!: Streams;

  /** @throws Error with one sentence when it is no command that can run here */
  constructor(module: WebAssembly.Module) {
    this.#module = module;
    const wanted = WebAssembly.Module.imports(this.#module);
    const stranger = wanted.find(({ module, kind }) => module !== WASI || kind !== 'function');
    if (stranger)
      throw new Error(`it imports ${stranger.module}.${stranger.name}, which is not WASI preview 1`);
    const exported = WebAssembly.Module.exports(this.#module);
    for (const [name, kind] of [
      ['_start', 'function'],
      ['memory', 'memory'],
    ]) {
      if (!exported.some((one) => one.name === name && one.kind === kind))
        throw new Error(`it is no WASI command: it exports no ${kind} ${name}`);
    }
    const absent = Object.fromEntries(wanted.map(({ name }) => [name, () => NOSYS]));
    this.#imports = { [WASI]: { ...absent, ...this.#calls() } };
  }

  /** Runs a fresh instance. @returns what it wrote. @throws Refusal */
  run(input: Uint8Array): Uint8Array {
    this.#streams = new Streams(input);
    try {
      const { exports } = new WebAssembly.Instance(this.#module, this.#imports);
      this.#streams.memory = exports.memory as WebAssembly.Memory;
      (exports._start as () => void)();
    } catch (error) {
      if (error instanceof Refusal) throw error;
      if (!(error instanceof Exit)) throw new Refusal(500, `the module trapped: ${(error as Error).message}`);
      if (error.code !== 0) throw new Refusal(500, `the module ended with exit code ${error.code}`);
    }
    const { written, length } = this.#streams;
    if (length === 0) throw new Refusal(502, 'the module wrote nothing');
    return written.length === 1 ? written[0]! : Buffer.concat(written);
  }

  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#streams.memory.buffer, at >>> 0, length >>> 0);
  }

  #view(): DataView {
    return new DataView(this.#streams.memory.buffer);
  }

  /** Calls `each` for the buffers of an iovec list, until it returns false. @returns an errno */
  #vectors(list: number, count: number, total: number, each: (bytes: Uint8Array) => number): number {
    const view = this.#view();
    let sum = 0;
    for (let i = 0, at = list >>> 0; i < count; i++, at += 8) {
      const bytes = this.#bytes(view.getUint32(at, true), view.getUint32(at + 4, true));
      const done = each(bytes);
      sum += done;
      if (done < bytes.length) break;
    }
    view.setUint32(total >>> 0, sum, true);
    return SUCCESS;
  }

  #read(into: Uint8Array): number {
    const streams = this.#streams;
    const piece = streams.input.subarray(streams.taken, streams.taken + into.length);
    into.set(piece);
    streams.taken += piece.length;
    return piece.length;
  }

  #write(bytes: Uint8Array): number {
    const streams = this.#streams;
    if (streams.length + bytes.length > MOST_OUTPUT)
      throw new Refusal(500, 'the module wrote more than 1 MiB');
    if (bytes.length > 0) streams.written.push(bytes.slice());
    streams.length += bytes.length;
    return bytes.length;
  }

  #calls(): Record<string, (...values: never[]) => number> {
    // Pointers beyond the memory throw a RangeError in the views: an errno to the module, as an engine gives it.
    const guarded =
      <Values extends unknown[]>(call: (...values: Values) => number) =>
      (...values: Values): number => {
        try {
          return call(...values);
        } catch (error) {
          if (error instanceof RangeError) return FAULT;
          throw error;
        }
      };
    const nothing = guarded((count: number, size: number) => {
      const view = this.#view();
      view.setUint32(count >>> 0, 0, true);
      view.setUint32(size >>> 0, 0, true);
      return SUCCESS;
    });
    return {
      fd_read: guarded((fd: number, list: number, count: number, total: number) =>
        fd === STDIN ? this.#vectors(list, count, total, (bytes) => this.#read(bytes)) : BADF,
      ),
      fd_write: guarded((fd: number, list: number, count: number, total: number) => {
        if (fd !== STDOUT && fd !== STDERR) return BADF;
        return this.#vectors(list, count, total, (bytes) =>
          fd === STDOUT ? this.#write(bytes) : bytes.length,
        );
      }),
      fd_fdstat_get: guarded((fd: number, at: number) => {
        if (fd > STDERR || fd < 0) return BADF;
        this.#bytes(at, 24).fill(0);
        this.#view().setUint8(at >>> 0, CHARACTER_DEVICE);
        this.#view().setBigUint64((at >>> 0) + 8, 0xffff_ffff_ffff_ffffn, true);
        return SUCCESS;
      }),
      fd_prestat_get: () => BADF,
      fd_prestat_dir_name: () => BADF,
      fd_close: () => SUCCESS,
      sched_yield: () => SUCCESS,
      environ_sizes_get: nothing,
      environ_get: () => SUCCESS,
      args_sizes_get: nothing,
      args_get: () => SUCCESS,
      random_get: guarded((at: number, length: number) => {
        randomFillSync(this.#bytes(at, length));
        return SUCCESS;
      }),
      clock_time_get: guarded((clock: number, _precision: bigint, at: number) => {
        const now = clock === REALTIME ? BigInt(Date.now()) * 1_000_000n : process.hrtime.bigint();
        this.#view().setBigUint64(at >>> 0, now, true);
        return SUCCESS;
      }),
      proc_exit: (code: number) => {
        throw new Exit(code);
      },
    };
  }
}
