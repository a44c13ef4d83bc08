/**
 * Runs a module as a command of WASI with nothing of the machine: arguments, environment, stdin and files are what the task
 * has, its folder is in memory, and what it writes has a limit. Memory is limited in the module itself, time by whoever ends
 * the worker that this runs in.
 */
import { Directory, Fd, File, OpenFile, PreopenDirectory, WASI, wasi } from '@bjorn3/browser_wasi_shim';
import type { Outcome } from '../contract/offload.js';
import { fromBase64, joinedToBase64, toBase64 } from './base64.js';

/** What one run is given. */
export interface Job {
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** base64 */
  stdin: string;
  files: Readonly<Record<string, Uint8Array>>;
  outputs: readonly string[];
  outputBytes: number;
}

export interface Ran {
  outcome: Outcome;
  /** milliseconds */
  instantiate: number;
  run: number;
}

/** Names that a module may open or make; each costs memory that is not its own. */
const mostOpened = 100_000;
/** As many buffers as a call may have on Linux: the shim makes an object of each. */
const mostBuffers = 1024;

class TooMuch extends Error {}

class Budget {
  #opened = 0;
  constructor(
    readonly bytes: number,
    private left = bytes,
  ) {}

  take(bytes: number): void {
    this.left -= bytes;
    if (this.left < 0) throw new TooMuch(`it wrote more than the ${this.bytes} bytes that it may`);
  }

  open(): void {
    if (++this.#opened > mostOpened) throw new TooMuch(`it opened more than ${mostOpened} files`);
  }
}

class Collected extends Fd {
  readonly #parts: Uint8Array[] = [];
  bytes = 0;

  constructor(
    readonly budget: Budget,
    readonly heard: (data: Uint8Array) => void = () => {},
  ) {
    super();
  }

  override fd_write(data: Uint8Array) {
    this.budget.take(data.length);
    this.bytes += data.length;
    if (data.length > 0) this.#parts.push(data);
    this.heard(data);
    return { ret: 0, nwritten: data.length };
  }

  get text(): string {
    return joinedToBase64(this.#parts);
  }
}

/** A file that grows only as far as the budget goes. */
class Bounded extends OpenFile {
  constructor(
    file: File,
    readonly budget: Budget,
    at: bigint,
  ) {
    super(file);
    this.file_pos = at;
  }

  #to(end: bigint): void {
    const more = end - this.file.size;
    if (more > 0n) this.budget.take(Number(more));
  }

  override fd_allocate(offset: bigint, length: bigint): number {
    this.#to(offset + length);
    return super.fd_allocate(offset, length);
  }

  override fd_filestat_set_size(size: bigint): number {
    this.#to(size);
    return super.fd_filestat_set_size(size);
  }

  override fd_write(data: Uint8Array) {
    this.#to(this.file_pos + BigInt(data.length));
    return super.fd_write(data);
  }

  override fd_pwrite(data: Uint8Array, offset: bigint) {
    this.#to(offset + BigInt(data.length));
    return super.fd_pwrite(data, offset);
  }
}

type Contents = Map<string, File | Directory>;

function folderOf(files: Job['files']): Contents {
  const root: Contents = new Map();
  for (const [path, bytes] of Object.entries(files)) {
    const parts = path.split('/');
    const name = parts.pop()!;
    let folder = root;
    for (const part of parts) {
      const there = folder.get(part);
      const next = there instanceof Directory ? there : new Directory(new Map());
      folder.set(part, next);
      folder = next.contents as Contents;
    }
    folder.set(name, new File(bytes));
  }
  return root;
}

/** Content of a file that the module left; null: there is none. */
function left(root: Contents, path: string): Uint8Array | null {
  let here: unknown = new Directory(root);
  for (const part of path.split('/')) {
    if (!(here instanceof Directory)) return null;
    here = here.contents.get(part);
  }
  return here instanceof File ? here.data : null;
}

/** What the shim does not hold within bounds, or does wrong. */
function guarded(shim: WASI, budget: Budget) {
  const view = () => new DataView(shim.inst.exports.memory.buffer);
  const { wasiImport: all } = shim;
  const guard = (name: string, check: (...args: number[]) => number | null) => {
    const call = all[name]!;
    all[name] = (...args) => check(...args) ?? call(...args);
  };
  for (const name of ['fd_read', 'fd_write', 'fd_pread', 'fd_pwrite'])
    guard(name, (_fd, _list, buffers) => (buffers! >>> 0 > mostBuffers ? wasi.ERRNO_INVAL : null));
  guard('path_create_directory', () => {
    budget.open();
    return null;
  });
  const open = all.path_open!;
  all.path_open = (...args) => {
    budget.open();
    const result = open(...args);
    if (result !== 0) return result;
    const opened = view().getUint32(args[8], true);
    const file = shim.fds[opened];
    if (file instanceof OpenFile) shim.fds[opened] = new Bounded(file.file, budget, file.file_pos);
    return result;
  };
  // It counts characters where bytes are asked for.
  const encoder = new TextEncoder();
  all.args_sizes_get = (countAt: number, bytesAt: number) => {
    view().setUint32(countAt, shim.args.length, true);
    const bytes = shim.args.reduce((sum, arg) => sum + encoder.encode(arg).length + 1, 0);
    view().setUint32(bytesAt, bytes, true);
    return 0;
  };
  return all;
}

/** A name for the module itself, as a command has one. */
const program = 'task';

/**
 * Never throws: what the module does wrong is its outcome.
 * @param heard what it writes to stderr, as it is written
 */
export function runModule(module: WebAssembly.Module, job: Job, heard?: (stderr: Uint8Array) => void): Ran {
  const began = performance.now();
  let instantiated = began;
  const budget = new Budget(job.outputBytes);
  const [stdout, stderr] = [new Collected(budget), new Collected(budget, heard)];
  const root = folderOf(job.files);
  const ended = (outcome: Outcome): Ran => ({
    outcome,
    instantiate: instantiated - began,
    run: performance.now() - instantiated,
  });
  try {
    const shim = new WASI(
      [program, ...job.args],
      Object.entries(job.env).map(([key, value]) => `${key}=${value}`),
      [new OpenFile(new File(fromBase64(job.stdin))), stdout, stderr, new PreopenDirectory('/', root)],
      { debug: false },
    );
    const instance = new WebAssembly.Instance(module, {
      wasi_snapshot_preview1: guarded(shim, budget),
    } as never);
    instantiated = performance.now();
    const exitCode = shim.start(instance as never);
    const files: Record<string, string> = {};
    // Files that it was given cost nothing until they are asked for.
    const asked = new Budget(job.outputBytes);
    asked.take(stdout.bytes + stderr.bytes);
    for (const path of job.outputs) {
      const bytes = left(root, path);
      if (!bytes) continue;
      asked.take(bytes.length);
      files[path] = toBase64(bytes);
    }
    return ended({ state: 'done', exitCode, stdout: stdout.text, stderr: stderr.text, files });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const how = error instanceof TooMuch ? said : `it was ended: ${said}`;
    // A program that panics says why before it traps.
    const words = stderr.bytes > 0 ? { stderr: stderr.text } : {};
    return ended({ state: 'failed', reason: how.slice(0, 1000), ...words });
  }
}
