/** Workers that run tasks, of Node or of a page: one task each at a time, ended when it takes too long, replaced when gone. */
import type { Outcome, Spent, Task } from '../contract/offload.js';
import { joinedToBase64 } from './base64.js';
import { pageBytes, Unusable, withMemoryLimit } from './core/module.js';
import { type Ended, type FromWorker, mostModules, type ToWorker } from './worker.js';

export interface WorkerHandle {
  post(message: ToWorker): void;
  /** ends it at once, whatever it does */
  end(): void;
}

/** What a pool has of the machine that it is on. */
export interface Means {
  startWorker(message: (from: FromWorker) => void, gone: (reason: string) => void): WorkerHandle;
  /** content by its digest. @throws Error in one sentence */
  content(digest: string): Promise<Uint8Array<ArrayBuffer>>;
}

export interface PoolResult {
  /** of what was run */
  module: string;
  outcome: Outcome;
  spent: Spent;
}

/** The machine, or whoever fetches for it, cannot run this; it says nothing about the task. */
export class Unable extends Error {}

interface Member {
  /** null: gone, and started anew when it is needed, so that one that cannot live is not started for ever */
  worker: WorkerHandle | null;
  /** keys of the modules that it has, in the order in which it got them */
  has: string[];
  busy: { number: number; tell(from: FromWorker): void; gone(reason: string): void } | null;
}

/** Compiled modules, which take more than the bytes that they are made of. */
const mostCompiled = mostModules;
/** Content of files is fetched for each task anew, but for small ones. */
const keptFileBytes = 1 << 20;
const mostFiles = 64;

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (!globalThis.crypto?.subtle)
    throw new Unable('a browser has no SHA-256 for pages that come over plain HTTP from another machine');
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Keeps what was asked for last; what failed is asked for again. */
class Kept<Value> {
  readonly #all = new Map<string, Promise<Value>>();
  constructor(readonly most: number) {}

  get(key: string, make: () => Promise<Value>): Promise<Value> {
    const there = this.#all.get(key);
    if (there) return there;
    const made = make();
    this.#all.set(key, made);
    if (this.#all.size > this.most) this.#all.delete([...this.#all.keys()][0]!);
    made.catch(() => this.#all.delete(key));
    return made;
  }

  drop(key: string): void {
    this.#all.delete(key);
  }
}

export class Pool {
  readonly #members: Member[] = [];
  readonly #waiting: ((member: Member) => void)[] = [];
  readonly #compiled = new Kept<WebAssembly.Module>(mostCompiled);
  readonly #files = new Kept<Uint8Array>(mostFiles);
  #next = 0;
  #ended = false;

  constructor(
    readonly means: Means,
    readonly workers: number,
  ) {
    for (let index = 0; index < workers; index++) {
      const member: Member = { worker: null, has: [], busy: null };
      this.#start(member);
      this.#members.push(member);
    }
  }

  get busy(): number {
    return this.#members.filter(({ busy }) => busy).length;
  }

  /** @throws Unable */
  async run(task: Task): Promise<PoolResult> {
    const began = performance.now();
    const files: Record<string, Uint8Array> = {};
    let module: WebAssembly.Module;
    try {
      module = await this.#module(task);
      for (const [path, digest] of Object.entries(task.files)) files[path] = await this.#file(digest);
    } catch (error) {
      if (error instanceof Unable) throw error;
      const reason = `the module cannot be run: ${(error as Error).message}`.slice(0, 1000);
      const spent = { inside: performance.now() - began, instantiate: 0, run: 0 };
      return { module: task.module, outcome: { state: 'failed', reason }, spent };
    }
    const { outcome, instantiate, run } = await this.#inWorker(task, module, files);
    return {
      module: task.module,
      outcome,
      spent: { inside: performance.now() - began, instantiate, run },
    };
  }

  /** Ends all workers at once; what they do is lost. */
  end(): void {
    this.#ended = true;
    for (const member of this.#members) this.#lost(member, 'the provider was ended');
  }

  #start(member: Member): WorkerHandle {
    const worker = this.means.startWorker(
      (from) => {
        if (member.worker === worker && member.busy?.number === from.number) member.busy.tell(from);
      },
      (reason) => {
        if (member.worker === worker) this.#lost(member, reason);
      },
    );
    member.worker = worker;
    member.has = [];
    return worker;
  }

  /** Its worker is gone, or is to be. */
  #lost(member: Member, reason: string): void {
    const { worker, busy } = member;
    member.worker = null;
    worker?.end();
    busy?.gone(reason);
  }

  #free(member: Member): void {
    member.busy = null;
    const next = this.#waiting.shift();
    if (!next) return;
    // Taken before anybody else looks for one that is not busy.
    member.busy = { number: -1, tell: () => {}, gone: () => {} };
    next(member);
  }

  async #inWorker(task: Task, module: WebAssembly.Module, files: Record<string, Uint8Array>) {
    const member =
      this.#members.find(({ busy }) => !busy) ??
      (await new Promise<Member>((free) => {
        this.#waiting.push(free);
      }));
    if (this.#ended) throw new Unable('the provider was ended');
    const worker = member.worker ?? this.#start(member);
    const number = this.#next++;
    const key = keyOf(task);
    const { args, env, stdin, outputs, limits } = task;
    const message: ToWorker = {
      number,
      key,
      args,
      env,
      stdin,
      files,
      outputs,
      outputBytes: limits.outputBytes,
    };
    if (!member.has.includes(key)) {
      message.module = module;
      member.has.push(key);
      if (member.has.length > mostModules) member.has.shift();
    }
    return new Promise<Omit<Ended, 'number'>>((resolve, reject) => {
      const began = performance.now();
      const heard: Uint8Array[] = [];
      const timer = setTimeout(() => {
        const reason = `it took longer than the ${limits.ms} ms that it may`;
        const words = heard.length > 0 ? { stderr: joinedToBase64(heard) } : {};
        const outcome = { state: 'failed' as const, reason, ...words };
        resolve({ outcome, instantiate: 0, run: performance.now() - began });
        this.#lost(member, reason);
      }, limits.ms);
      member.busy = {
        number,
        tell: (from) => {
          if ('stderr' in from) return void heard.push(from.stderr);
          clearTimeout(timer);
          this.#free(member);
          resolve(from);
        },
        gone: (reason) => {
          clearTimeout(timer);
          this.#free(member);
          reject(new Unable(reason));
        },
      };
      worker.post(message);
    });
  }

  /** @throws Unusable; Unable */
  #module(task: Task): Promise<WebAssembly.Module> {
    return this.#compiled.get(keyOf(task), async () => {
      const bytes = await this.#content(task.module);
      const pages = Math.floor((task.limits.memoryMiB * 2 ** 20) / pageBytes);
      const limited = withMemoryLimit(bytes, pages);
      return WebAssembly.compile(limited).catch((error: Error) => {
        throw new Unusable(error.message);
      });
    });
  }

  async #file(digest: string): Promise<Uint8Array> {
    const bytes = await this.#files.get(digest, () => this.#content(digest));
    if (bytes.length > keptFileBytes) this.#files.drop(digest);
    return bytes;
  }

  async #content(digest: string): Promise<Uint8Array<ArrayBuffer>> {
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = await this.means.content(digest);
    } catch (error) {
      throw new Unable(`${digest} could not be fetched: ${(error as Error).message}`);
    }
    const found = await digestOf(bytes);
    if (found !== digest) throw new Unable(`what was fetched as ${digest} is ${found}`);
    return bytes;
  }
}

/** The same module with another limit of memory is compiled apart. */
const keyOf = ({ module, limits }: Task): string => `${module} ${limits.memoryMiB}`;
