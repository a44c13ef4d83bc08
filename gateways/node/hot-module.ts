/**
 * A module that is exchanged while it serves: its file is watched, and what is put there takes the place of the one before
 * once it is trusted, compiled and has an instance. What cannot be used changes nothing. gateways/host/src/hot does the same.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { Guest } from './guest.js';
import type { Hello } from './http-gateway.js';
import { type Module, printLine } from './program.js';
import { isResident, Resident } from './resident.js';
import { checkTrust, signatureOf, type Trust } from './trust.js';
import { whenPutInPlace } from './watching.js';

/** Largest module, bytes. */
const MOST_MODULE = 64 << 20;

/** An instance for each request, or one for all. */
type Serving =
  | { kind: 'command'; guest: Guest }
  | { kind: 'resident'; resident: Resident; compiled: WebAssembly.Module };

type Live = Serving & { module: Module };

/** What became of the state of the one before; none: an instance for each request keeps nothing. */
type State = 'handed-over' | 'lost' | 'none';

/** The bytes of the file, of which alone all that follows is decided. Whatever is put there, this does not wait. */
function read(file: string): Buffer<ArrayBuffer> {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const about = fstatSync(fd);
    if (!about.isFile() || about.size > MOST_MODULE)
      throw new Error(`it is no regular file of at most ${MOST_MODULE} bytes`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

function serving(compiled: WebAssembly.Module): Serving {
  return isResident(compiled)
    ? { kind: 'resident', resident: new Resident(compiled), compiled }
    : { kind: 'command', guest: new Guest(compiled) };
}

function handOver(old: Live, next: Live): State {
  if (old.kind === 'command') return 'none';
  if (next.kind === 'command') return 'lost';
  const state = old.resident.save();
  return state !== null && next.resident.restore(state) ? 'handed-over' : 'lost';
}

export class HotModule {
  #live!: Live;
  #work: Promise<void> = Promise.resolve();

  private constructor(
    readonly file: string,
    readonly trust: Trust,
  ) {}

  /**
   * Loads the module in `file`, and if it is to follow every one that is put there from now on.
   * @throws Error with one sentence
   */
  static async start(file: string, trust: Trust, follow: boolean): Promise<HotModule> {
    const hot = new HotModule(file, trust);
    try {
      // Before the file is read, so that no change is missed.
      if (follow)
        whenPutInPlace(
          [file, signatureOf(file)],
          () => hot.#exchange(),
          (reason) => hot.#keep(reason),
        );
      hot.#work = hot.#load(null).then((live) => {
        hot.#live = live!;
      });
      await hot.#work;
    } catch (error) {
      throw new Error(`module ${file} cannot be used: ${(error as Error).message}`);
    }
    return hot;
  }

  get module(): Module {
    return this.#live.module;
  }

  /** What the module makes of `input`, and which one it was. @throws Refusal, and then `beginAnew` has to be called */
  run(input: Uint8Array): Hello {
    const live = this.#live;
    const { sha256 } = live.module;
    if (live.kind === 'command') return { body: live.guest.run(input), sha256 };
    return { body: live.resident.run(input), sha256 };
  }

  /** A fresh instance in the place of one that failed, or was ended, and whose state nobody knows. */
  beginAnew(reason: string): void {
    if (this.#live.kind !== 'resident') return;
    this.#live = { ...this.#live, resident: new Resident(this.#live.compiled) };
    const { sha256 } = this.#live.module;
    process.stderr.write(
      `dispatchbench-gateway: the instance of module ${sha256} was made anew, its state is lost: ${reason}\n`,
    );
  }

  /** Lets the module in the file serve, unless it does so already, or cannot; one such after the other. */
  #exchange(): void {
    this.#work = this.#work.then(async () => {
      try {
        const next = await this.#load(this.#live.module.sha256);
        if (next) this.#takeOver(next);
      } catch (error) {
        this.#keep((error as Error).message);
      }
    });
  }

  /** @param known digest that serves already. @returns a module that is ready to serve; null: it is the known one */
  async #load(known: string | null): Promise<Live | null> {
    const { file, trust } = this;
    const bytes = read(file);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (sha256 === known) return null;
    checkTrust(trust, file, bytes, sha256);
    const compiled = await WebAssembly.compile(bytes);
    return { ...serving(compiled), module: { file, sha256, bytes: bytes.length } };
  }

  /** From here on `next` serves: requests are answered one after the other, so none is in flight. */
  #takeOver(next: Live): void {
    const state = handOver(this.#live, next);
    this.#live = next;
    printLine({ event: 'module', ...next.module, state, monotonicNs: process.hrtime.bigint() });
  }

  #keep(reason: string): void {
    const line = reason.replace(/\s+/g, ' ');
    const sha256 = this.#live.module.sha256;
    process.stderr.write(`dispatchbench-gateway: ${this.file} is not loaded, ${sha256} serves on: ${line}\n`);
    printLine({ event: 'module-kept', sha256, reason: line, monotonicNs: process.hrtime.bigint() });
  }
}
