/** A well-behaved command, and some others, as the gateways in Node are given them. */
import { code, wasm } from './wasm-bytes.js';

/** The beginning of a memory: words, and from 64 on a text. */
function memory(words: readonly number[], text = ''): number[] {
  const bytes = Buffer.alloc(64 + text.length);
  words.forEach((word, i) => {
    bytes.writeUInt32LE(word, 4 * i);
  });
  bytes.write(text, 64);
  return [...bytes];
}

type Called = Parameters<typeof code.call>[0];
const call = (name: Called, ...values: number[]) => [...values.flatMap(code.i32), ...code.call(name)];
const [STDIN, STDOUT, STDERR] = [0, 1, 2];
/** Lists of one buffer each: at 0 for reading, at 16 for writing. */
const read = [...call('fd_read', STDIN, 0, 1, 8), ...code.drop];
const write = [...call('fd_write', STDOUT, 16, 1, 24), ...code.drop];
/** length of the buffer to write */
const LENGTH = 20;
/** a word that nothing else uses */
const COUNTER = 32;
const prefix = memory([69, 4096, 0, 0, 64, 0], 'wasm:');
const prefixed = [
  ...read,
  ...code.i32(LENGTH),
  ...code.i32(8),
  ...code.load,
  ...code.i32(5),
  ...code.add,
  ...code.store,
];

export const modules = {
  /** `wasm:` and its input, which is read behind that */
  prefixer: wasm([...prefixed, ...write], { data: prefix }),
  /** the same after two million rounds of a loop */
  busy: wasm(
    [
      ...prefixed,
      ...code.forEver([
        ...[
          ...code.i32(COUNTER),
          ...code.i32(COUNTER),
          ...code.load,
          ...code.i32(1),
          ...code.add,
          ...code.store,
        ],
        ...[...code.i32(COUNTER), ...code.load, ...code.i32(2_000_000), ...code.equals],
        ...code.when([...write, ...call('proc_exit', 0)]),
      ]),
    ],
    { data: prefix },
  ),
  trap: wasm(code.unreachable),
  /** says why before it traps, as a program that panics does */
  panic: wasm([...call('fd_write', STDERR, 16, 1, 24), ...code.drop, ...code.unreachable], {
    data: memory([0, 0, 0, 0, 64, 5], 'oh no'),
  }),
  /** says something and never comes to its end */
  stuck: wasm([...call('fd_write', STDERR, 16, 1, 24), ...code.drop, ...code.forEver([])], {
    data: memory([0, 0, 0, 0, 64, 8], 'still at'),
  }),
  exit3: wasm(call('proc_exit', 3)),
  silent: wasm([]),
  /** a page at a time, without end */
  flood: wasm(code.forEver(write), { data: memory([0, 0, 0, 0, 0, 65536]) }),
  /** reads beyond its memory */
  wild: wasm([...code.i32(-4), ...code.load, ...code.drop]),
  /** gives the host a list of buffers beyond its memory, then ends well without output */
  pointer: wasm([...call('fd_write', STDOUT, -8, 1, 24), ...code.drop]),
  endless: wasm(code.forEver([])),
  /** asks for 2000 pages more, 125 MiB, and ends with exit code 7 when it does not get them */
  greedy: wasm(
    [
      ...[...code.growBy(2000), ...code.i32(-1), ...code.equals, ...code.when(call('proc_exit', 7))],
      ...write,
    ],
    { data: memory([0, 0, 0, 0, 64, 3], 'fed') },
  ),
  /** wants what no WASI host has */
  stranger: wasm([], { from: 'env' }),
};
