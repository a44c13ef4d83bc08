/**
 * The works of a device module (gateways/modules/rust/device.rs) as a library, each way to call them. It imports nothing, so
 * that a page in a browser can have its compiled text.
 */

/** Asks for nothing of its system as long as it is a library: what it imports as a command is not there. */
function absent(module: WebAssembly.Module): WebAssembly.Imports {
  const imports: Record<string, Record<string, () => never>> = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== 'function') throw new Error(`it imports ${from}.${name}, which is no function`);
    imports[from] ??= {};
    imports[from][name] = () => {
      throw new Error(`the module asked for ${name}`);
    };
  }
  return imports;
}

type ByLength = (length: number) => number;
type BareCall = (length: number, amount: number) => number;

export class Library {
  readonly #memory: WebAssembly.Memory;
  readonly #exports: Record<string, unknown>;
  readonly #buffer: ByLength;
  readonly #reply: () => number;
  readonly #call: ByLength;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();

  constructor(module: WebAssembly.Module, imports: WebAssembly.Imports = absent(module)) {
    const { exports } = new WebAssembly.Instance(module, imports);
    this.#exports = exports;
    this.#memory = exports.memory as WebAssembly.Memory;
    this.#buffer = exports.buffer as ByLength;
    this.#reply = exports.reply as () => number;
    this.#call = exports.call as ByLength;
  }

  static imports(module: WebAssembly.Module): WebAssembly.Imports {
    return absent(module);
  }

  /** A work by its name. @throws Error when the module has none */
  work(name: string): BareCall {
    const found = this.#exports[name];
    if (typeof found !== 'function') throw new Error(`the module exports no function ${name}`);
    return found as BareCall;
  }

  /** @returns how long it is */
  put(text: string): number {
    const bytes = this.#encoder.encode(text);
    const place = this.#buffer(bytes.length); // may replace the memory's buffer
    new Uint8Array(this.#memory.buffer, place >>> 0, bytes.length).set(bytes);
    return bytes.length;
  }

  take(length: number): string {
    return this.#decoder.decode(new Uint8Array(this.#memory.buffer, this.#reply() >>> 0, length));
  }

  /** The answer to a request as text, both copied through the module's memory. */
  answerText(request: string): string {
    const length = this.#call(this.put(request));
    if (length === 0) throw new Error('the module refuses its request');
    return this.take(length);
  }

  answer(request: object): { output: string } {
    return JSON.parse(this.answerText(JSON.stringify(request))) as { output: string };
  }
}
