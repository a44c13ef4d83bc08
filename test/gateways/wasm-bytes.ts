/** Modules for tests, put together from bytes: a command with one page of memory whose `_start` is a few instructions. */

export const unsigned = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(Math.floor(value / 0x80))];
const signed = (value: number): number[] =>
  value >= -64 && value < 64 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
export const list = (items: readonly number[][]) => [...unsigned(items.length), ...items.flat()];
export const text = (word: string) => [...unsigned(word.length), ...Buffer.from(word)];
export const section = (id: number, content: number[]) => [id, ...unsigned(content.length), ...content];

export const I32 = 0x7f;
export const FUNCTION = 0x60;

/** What a module may import of WASI, in the order of its functions; `_start` comes after them. */
const imported = ['fd_write', 'poll_oneoff', 'proc_exit', 'fd_read'] as const;
const START = imported.length;

export const code = {
  i32: (value: number) => [0x41, ...signed(value)],
  call: (name: (typeof imported)[number]) => [0x10, imported.indexOf(name)],
  callStart: [0x10, START],
  unreachable: [0x00],
  drop: [0x1a],
  load: [0x28, 2, 0],
  store: [0x36, 2, 0],
  add: [0x6a],
  growBy: (pages: number) => [0x41, ...signed(pages), 0x40, 0x00],
  equals: [0x46],
  when: (body: number[]) => [0x04, 0x40, ...body, 0x0b],
  forEver: (body: number[]) => [0x03, 0x40, ...body, 0x0c, 0x00, 0x0b],
};

export interface Shape {
  /** least linear memory, in pages */
  pages?: number;
  /** bytes at 0 of the memory */
  data?: readonly number[];
  /** name that `_start` has */
  start?: string;
  /** `_start` is also run by instantiation itself */
  atOnce?: boolean;
  /** one more import, as nobody has it */
  strange?: boolean;
  /** what it imports from */
  from?: string;
}

/** @param body instructions of `_start` */
export function wasm(
  body: readonly number[],
  {
    pages = 1,
    data = [],
    start = '_start',
    atOnce = false,
    strange = false,
    from = 'wasi_snapshot_preview1',
  }: Shape = {},
): Buffer {
  const types = [
    [FUNCTION, 0, 0],
    [FUNCTION, ...list([[I32], [I32], [I32], [I32]]), ...list([[I32]])],
    [FUNCTION, ...list([[I32]]), 0],
  ];
  const typeOf = { fd_write: 1, poll_oneoff: 1, proc_exit: 2, fd_read: 1 };
  const imports = imported.map((name) => [
    ...text(from),
    ...text(strange && name === 'proc_exit' ? 'proc_strange' : name),
    0,
    typeOf[name],
  ]);
  const content = [...list([]), ...body, 0x0b];
  return Buffer.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list(imports)),
    ...section(3, list([[0]])),
    ...section(5, list([[0, ...unsigned(pages)]])),
    ...section(
      7,
      list([
        [...text('memory'), 2, 0],
        [...text(start), 0, START],
      ]),
    ),
    ...(atOnce ? section(8, [START]) : []),
    ...section(10, list([[...unsigned(content.length), ...content]])),
    ...section(11, list([[0, ...code.i32(0), 0x0b, ...unsigned(data.length), ...data]])),
  ]);
}
