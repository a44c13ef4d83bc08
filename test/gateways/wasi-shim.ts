/** As much of wasi_snapshot_preview1 as a command needs that reads its input and writes its output, for V8's engine. */

declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): { module: string; name: string }[];
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
}

const SUCCESS = 0;
const BAD_DESCRIPTOR = 8;
const NOT_SUPPORTED = 58;

class Exit extends Error {
  constructor(readonly code: number) {
    super(`exit code ${code}`);
  }
}

export type CompiledModule = WebAssembly.Module;
export const compile = (bytes: Uint8Array): CompiledModule => new WebAssembly.Module(bytes);
export const importsOf = (module: CompiledModule): string[] =>
  WebAssembly.Module.imports(module).map((entry) => `${entry.module}.${entry.name}`);

/** Runs a command in a fresh instance. @throws what traps */
export function run(module: CompiledModule, input: Uint8Array): { code: number; output: Buffer } {
  const written: Buffer[] = [];
  let position = 0;
  let view = (): DataView => new DataView(new ArrayBuffer(0));

  /** Calls `each` with the buffers of a list, until one is not used whole. */
  const overVectors = (list: number, count: number, each: (place: Uint8Array) => number): number => {
    let total = 0;
    for (let n = 0; n < count; n++) {
      const memory = view();
      const length = memory.getUint32(list + 8 * n + 4, true);
      const used = each(new Uint8Array(memory.buffer, memory.getUint32(list + 8 * n, true), length));
      total += used;
      if (used < length) break;
    }
    return total;
  };
  const store32 = (at: number, value: number) => {
    view().setUint32(at, value, true);
    return SUCCESS;
  };
  const nothing = (count: number, size: number) => store32(count, 0) || store32(size, 0);

  const functions: Record<string, (...args: never[]) => number> = {
    fd_read: (fd: number, list: number, count: number, read: number) =>
      fd !== 0
        ? BAD_DESCRIPTOR
        : store32(
            read,
            overVectors(list, count, (place) => {
              const piece = input.subarray(position, position + place.length);
              place.set(piece);
              position += piece.length;
              return piece.length;
            }),
          ),
    fd_write: (fd: number, list: number, count: number, total: number) =>
      fd !== 1 && fd !== 2
        ? BAD_DESCRIPTOR
        : store32(
            total,
            overVectors(list, count, (place) => {
              if (fd === 1) written.push(Buffer.from(place));
              return place.length;
            }),
          ),
    fd_fdstat_get: (fd: number, at: number) => {
      if (fd > 2) return BAD_DESCRIPTOR;
      const memory = view();
      for (let byte = 0; byte < 24; byte++) memory.setUint8(at + byte, 0);
      memory.setUint8(at, 2); // a character device
      memory.setBigUint64(at + 8, 0xffff_ffffn, true); // with all rights
      return SUCCESS;
    },
    fd_fdstat_set_flags: () => SUCCESS,
    fd_prestat_get: () => BAD_DESCRIPTOR,
    args_get: () => SUCCESS,
    args_sizes_get: nothing,
    environ_get: () => SUCCESS,
    environ_sizes_get: nothing,
    clock_time_get: (_clock: number, _precision: bigint, at: number) => {
      view().setBigUint64(at, process.hrtime.bigint(), true);
      return SUCCESS;
    },
    random_get: (at: number, length: number) => {
      new Uint8Array(view().buffer, at, length).fill(4);
      return SUCCESS;
    },
    sched_yield: () => SUCCESS,
    proc_exit: (code: number) => {
      throw new Exit(code);
    },
  };
  const imports = new Proxy(functions, {
    get: (known, name: string) => known[name] ?? (() => NOT_SUPPORTED),
  });
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: imports });
  const memory = instance.exports.memory as { buffer: ArrayBuffer };
  view = () => new DataView(memory.buffer);
  try {
    (instance.exports._start as () => void)();
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    return { code: error.code, output: Buffer.concat(written) };
  }
  return { code: 0, output: Buffer.concat(written) };
}
