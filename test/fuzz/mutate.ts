/** Changes inputs the way libFuzzer does: bits, bytes, numbers, words, pieces moved, doubled, dropped or taken from others. */
import type { Random } from '../../src/statistics/random.js';

const upTo = (random: Random, most: number): number => Math.floor(random() * (most + 1));
const pick = <T>(random: Random, from: readonly T[]): T => from[upTo(random, from.length - 1)]!;

/** Texts of numbers that are at some edge. */
const edges =
  '0 -0 -1 1 255 65535 65536 4294967295 4294967296 9007199254740993 18446744073709551616 1e308 1e999 -1e999 0.5 NaN null'.split(
    ' ',
  );
/** What changes the meaning of almost any text. */
const common = [
  '\n',
  '\r\n',
  '\0',
  ' ',
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\ufeff',
  '\u2028',
  '\u001b[2J',
  '../',
];

type Change = (input: Buffer, random: Random, words: readonly string[], others: readonly Buffer[]) => Buffer;

const replaced = (input: Buffer, from: number, to: number, by: Uint8Array): Buffer =>
  Buffer.concat([input.subarray(0, from), by, input.subarray(to)]);

/** Somewhere in it, short pieces more often than long ones. */
function piece(input: Buffer, random: Random): [from: number, to: number] {
  const from = upTo(random, input.length);
  return [from, Math.min(input.length, from + Math.floor(2 ** (random() * Math.log2(input.length + 1))))];
}

const changes: readonly Change[] = [
  function flipBit(input, random) {
    const at = upTo(random, Math.max(0, input.length - 1));
    const copy = Buffer.from(input);
    if (at < copy.length) copy[at]! ^= 1 << upTo(random, 7);
    return copy;
  },
  function setByte(input, random) {
    const copy = Buffer.from(input);
    if (copy.length > 0)
      copy[upTo(random, copy.length - 1)] = pick(random, [0, 1, 127, 128, 255, upTo(random, 255)]);
    return copy;
  },
  function setWord(input, random) {
    if (input.length < 4) return input;
    const copy = Buffer.from(input);
    const value = pick(random, [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, copy.length]);
    const at = upTo(random, copy.length - 4);
    if (random() < 0.5) copy.writeUInt32LE(value, at);
    else copy.writeUInt32BE(value, at);
    return copy;
  },
  function insertWord(input, random, words) {
    const [from, to] = random() < 0.5 ? piece(input, random) : [upTo(random, input.length), 0];
    return replaced(
      input,
      from,
      Math.max(from, to),
      Buffer.from(pick(random, random() < 0.6 ? words : common)),
    );
  },
  function changeNumber(input, random) {
    const numbers = [...input.toString('latin1').matchAll(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g)];
    if (numbers.length === 0) return input;
    const { index, 0: text } = pick(random, numbers);
    return replaced(input, index, index + text.length, Buffer.from(pick(random, edges)));
  },
  function drop(input, random) {
    const [from, to] = piece(input, random);
    return replaced(input, from, to, Buffer.alloc(0));
  },
  function move(input, random) {
    const [from, to] = piece(input, random);
    const at = upTo(random, input.length);
    return replaced(input, at, at, input.subarray(from, to));
  },
  function repeat(input, random) {
    const [from, to] = piece(input, random);
    const many = Buffer.concat(Array.from({ length: 2 ** upTo(random, 8) }, () => input.subarray(from, to)));
    return replaced(input, to, to, many);
  },
  function cut(input, random) {
    return input.subarray(0, upTo(random, input.length));
  },
  function cross(input, random, _, others) {
    const other = pick(random, others);
    const [from, to] = piece(other, random);
    const [at, end] = piece(input, random);
    return replaced(input, at, random() < 0.5 ? at : end, other.subarray(from, to));
  },
  function swapLines(input, random) {
    const lines = input.toString('latin1').split('\n');
    const [a, b] = [upTo(random, lines.length - 1), upTo(random, lines.length - 1)];
    [lines[a], lines[b]] = [lines[b]!, lines[a]!];
    return Buffer.from(lines.join('\n'), 'latin1');
  },
];

/** One to eight changes to one of `corpus`; at most `longest` bytes. */
export function mutated(
  random: Random,
  corpus: readonly Buffer[],
  words: readonly string[],
  longest: number,
): Buffer {
  let input = pick(random, corpus);
  for (let left = 2 ** upTo(random, 3); left > 0; left--) {
    input = pick(random, changes)(input, random, words, corpus).subarray(0, longest);
  }
  return input;
}
