/** WebAssembly modules of a few instructions, put together by hand: a well-behaved command and some others. */

const leb = (value: number): number[] => {
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    const sign = (low & 0x40) !== 0;
    if ((value === 0 && !sign) || (value === -1 && sign)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
};
const unsigned = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
const list = (items: number[][]) => [...unsigned(items.length), ...items.flat()];
const name = (text: string) => list([...Buffer.from(text)].map((byte) => [byte]));
const section = (id: number, content: number[]) => [id, ...unsigned(content.length), ...content];

const I32 = 0x7f;
/** (i32, i32, i32, i32) -> i32; () -> (); (i32) -> () */
const types = [
  [0x60, 4, I32, I32, I32, I32, 1, I32],
  [0x60, 0, 0],
  [0x60, 1, I32, 0],
];
const wasi = [
  ['fd_read', 0],
  ['fd_write', 0],
  ['proc_exit', 2],
] as const;

const constant = (value: number) => [0x41, ...leb(value)];
const call = (index: number, ...values: number[]) => [...values.flatMap(constant), 0x10, index];
const DROP = 0x1a;
const ADD = 0x6a;
const LOAD = [0x28, 2, 0];
const STORE = [0x36, 2, 0];
const GROW = [0x40, 0];
const EQUAL = 0x46;
const whether = (code: number[]) => [0x04, 0x40, ...code, END];
const UNREACHABLE = 0x00;
const END = 0x0b;
const forEver = (code: number[]) => [0x03, 0x40, ...code, 0x0c, 0, END];

/** A command of this code, over one page of memory with these words at its beginning. */
function command(
  code: number[],
  { words = [] as number[], text = '', from = 'wasi_snapshot_preview1' } = {},
) {
  const body = [0, ...code, END];
  const data = Buffer.alloc(64 + text.length);
  words.forEach((word, i) => {
    data.writeUInt32LE(word, 4 * i);
  });
  data.write(text, 64);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list(wasi.map(([called, type]) => [...name(from), ...name(called), 0, type]))),
    ...section(3, list([[1]])),
    ...section(5, list([[0, 1]])),
    ...section(
      7,
      list([
        [...name('memory'), 2, 0],
        [...name('_start'), 0, wasi.length],
      ]),
    ),
    ...section(10, list([[...unsigned(body.length), ...body]])),
    ...section(11, list([[0, ...constant(0), END, ...list([...data].map((byte) => [byte]))]])),
  ]);
}

const [READ, WRITE, EXIT] = [0, 1, 2];
/** iovec lists: at 0 for reading behind the text, at 16 for writing it */
const prefixing = { words: [69, 4096, 0, 0, 64, 0], text: 'wasm:' };

export const modules = {
  /** `wasm:` and its input */
  prefixer: command(
    [
      ...[...call(READ, 0, 0, 1, 8), DROP],
      ...[...constant(20), ...constant(8), ...LOAD, ...constant(5), ADD, ...STORE],
      ...[...call(WRITE, 1, 16, 1, 24), DROP],
    ],
    prefixing,
  ),
  trap: command([UNREACHABLE]),
  exit3: command(call(EXIT, 3)),
  silent: command([]),
  /** a page at a time, without end */
  flood: command(forEver([...call(WRITE, 1, 16, 1, 24), DROP]), { words: [0, 0, 0, 0, 0, 65536] }),
  /** reads beyond its memory */
  wild: command([...constant(-4), ...LOAD, DROP]),
  /** gives the host a list of buffers beyond its memory, then ends well without output */
  pointer: command([...call(WRITE, 1, -8, 1, 24), DROP]),
  endless: command(forEver([])),
  /** asks for 2000 pages more, 125 MiB, and ends with exit code 7 when it does not get them */
  greedy: command(
    [
      ...[...constant(2000), ...GROW, ...constant(-1), EQUAL, ...whether(call(EXIT, 7))],
      ...[...call(WRITE, 1, 0, 1, 24), DROP],
    ],
    { words: [64, 3], text: 'fed' },
  ),
  /** wants what no WASI host has */
  stranger: command([], { from: 'env' }),
};
