/**
 * What can be said of a module of WebAssembly without running it: whether it is one, wants nothing but WASI, and how much
 * memory it may have. The memory's limit stands in the module itself, so whoever runs it writes a lower one there: engines
 * keep to that, and nothing else keeps a module from growing its memory.
 */

export const pageBytes = 65_536;

/** Why the bytes are no task's module. */
export class Unusable extends Error {}

class Reader {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.at;
  }

  byte(): number {
    if (this.left < 1) throw new Unusable('it ends in the middle of a section');
    return this.bytes[this.at++]!;
  }

  /** unsigned LEB128 of at most 32 bits */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Unusable('it has a number of more than 32 bits');
  }

  part(length: number): Reader {
    if (length > this.left) throw new Unusable('it ends in the middle of a section');
    const part = new Reader(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return part;
  }

  text(): string {
    return new TextDecoder().decode(this.part(this.number()).bytes);
  }

  limits(): { shared: boolean; least: number; most: number | null } {
    const flags = this.byte();
    if (flags > 3) throw new Unusable('its memory or table is of a kind that is not known here');
    const least = this.number();
    return { shared: (flags & 2) !== 0, least, most: flags & 1 ? this.number() : null };
  }
}

const SECTION = { imports: 2, memory: 5, exports: 7 } as const;
const KIND = { function: 0, table: 1, memory: 2, global: 3 } as const;

interface Section {
  id: number;
  from: number;
  content: Reader;
}

function* sectionsOf(bytes: Uint8Array): Generator<Section> {
  const reader = new Reader(bytes);
  if (reader.left < 8 || reader.part(4).bytes.join() !== '0,97,115,109')
    throw new Unusable('it is no module of WebAssembly');
  const version = reader.part(4).bytes.join();
  if (version !== '1,0,0,0') throw new Unusable('it is a component, or of another version than 1');
  while (reader.left > 0) {
    const from = reader.at;
    const id = reader.byte();
    yield { id, from, content: reader.part(reader.number()) };
  }
}

function checkImports(content: Reader): void {
  for (let left = content.number(); left > 0; left--) {
    const [from, name, kind] = [content.text(), content.text(), content.byte()];
    if (kind !== KIND.function || from !== 'wasi_snapshot_preview1')
      throw new Unusable(
        `it imports '${name}' of '${from}': only functions of wasi_snapshot_preview1 are here`,
      );
    content.number();
  }
}

function checkExports(content: Reader): void {
  const found = new Set<string>();
  for (let left = content.number(); left > 0; left--) {
    const [name, kind] = [content.text(), content.byte()];
    content.number();
    found.add(`${kind} ${name}`);
  }
  if (!found.has(`${KIND.function} _start`))
    throw new Unusable("it exports no function '_start': it is no command");
  if (!found.has(`${KIND.memory} memory`)) throw new Unusable("it does not export its memory as 'memory'");
}

const leb = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(Math.floor(value / 0x80))];

/**
 * The same module with at most so many pages of memory.
 * @throws Unusable in words that follow 'the module cannot be run: '
 */
export function withMemoryLimit(bytes: Uint8Array, mostPages: number): Uint8Array<ArrayBuffer> {
  let memory: Section | null = null;
  let exported = false;
  for (const section of sectionsOf(bytes)) {
    if (section.id === SECTION.imports) checkImports(section.content);
    if (section.id === SECTION.memory) memory = section;
    if (section.id === SECTION.exports) {
      checkExports(section.content);
      exported = true;
    }
  }
  if (!memory || !exported) throw new Unusable('it has no memory, or exports nothing: it is no command');
  const { content, from } = memory;
  const end = memory.content.bytes.byteOffset - bytes.byteOffset + content.bytes.length;
  if (content.number() !== 1) throw new Unusable('it has several memories');
  const { shared, least, most } = content.limits();
  if (shared) throw new Unusable('its memory is shared between threads');
  if (least > mostPages)
    throw new Unusable(
      `it begins with ${(least * pageBytes) / 2 ** 20} MiB of memory, where ${(mostPages * pageBytes) / 2 ** 20} are allowed`,
    );
  const limits = [1, 1, ...leb(least), ...leb(Math.min(most ?? mostPages, mostPages))];
  const section = [SECTION.memory, ...leb(limits.length), ...limits];
  const limited = new Uint8Array(from + section.length + bytes.length - end);
  limited.set(bytes.subarray(0, from));
  limited.set(section, from);
  limited.set(bytes.subarray(end), from + section.length);
  return limited;
}
