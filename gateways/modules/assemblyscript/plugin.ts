// Routes a request and rewrites it, as plugin.rs beside this one does, to the byte; what it reads and writes, and the
// patterns of paths, are described there. Memory is handed out upwards and never given back: an instance serves once.
import { fd_read, fd_write, proc_exit } from './wasi_snapshot_preview1';

const MAX_DEPTH: i32 = 64;

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const OPEN_BRACE: u8 = 0x7b;
const CLOSE_BRACE: u8 = 0x7d;
const OPEN_BRACKET: u8 = 0x5b;
const CLOSE_BRACKET: u8 = 0x5d;
const OPEN_GROUP: u8 = 0x28;
const CLOSE_GROUP: u8 = 0x29;
const DASH: u8 = 0x2d;
const DOT: u8 = 0x2e;

/** Ends the program without output. */
function fail(): void {
  proc_exit(1);
  unreachable();
}

// ---- memory

let top: usize = __heap_base;

/** `size` bytes above all that were handed out. */
function take(size: usize): usize {
  const start = top;
  top = (top + size + 7) & ~7;
  const missing = <i32>((top + 0xffff) >>> 16) - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) fail();
  return start;
}

// ---- input, and the reader over it

let input: usize = 0;
let inputEnd: usize = 0;
let position: usize = 0;
/** where decoded strings go */
let arena: usize = 0;
/** the string last read */
let text: usize = 0;
let textEnd: usize = 0;

function readAll(): void {
  const vector = take(16);
  input = take(4096);
  let room = top;
  inputEnd = input;
  for (;;) {
    if (inputEnd === room) {
      take(room - input); // twice as much; the input is the topmost, so it goes on without a gap
      room = top;
    }
    store<usize>(vector, inputEnd);
    store<usize>(vector, room - inputEnd, 4);
    if (fd_read(0, vector, 1, vector + 8) !== 0) fail();
    const read = load<usize>(vector + 8);
    if (read === 0) break;
    inputEnd += read;
  }
  position = input;
}

/** The next byte, or -1. */
function peek(): i32 {
  return position < inputEnd ? <i32>load<u8>(position) : -1;
}

function next(): u8 {
  if (position >= inputEnd) fail();
  return load<u8>(position++);
}

function space(): void {
  for (;;) {
    const byte = peek();
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return;
    position++;
  }
}

/** Takes `byte` after any white space. */
function expect(byte: u8): void {
  space();
  if (next() !== byte) fail();
}

/** Whether `byte` is next after any white space; it is taken. */
function follows(byte: u8): bool {
  space();
  if (peek() !== <i32>byte) return false;
  position++;
  return true;
}

/** After a member or an element: whether another one follows, or else `end`. */
function another(end: u8): bool {
  if (follows(COMMA)) return true;
  expect(end);
  return false;
}

/** Reads a string into `text`. */
function readString(): void {
  expect(QUOTE);
  text = arena;
  for (;;) {
    const byte = next();
    if (byte === QUOTE) break;
    if (byte === BACKSLASH) readEscape();
    else if (byte < 0x20) fail();
    else store<u8>(arena++, byte);
  }
  textEnd = arena;
}

function readEscape(): void {
  const byte = next();
  if (byte === QUOTE || byte === BACKSLASH || byte === 0x2f) store<u8>(arena++, byte);
  else if (byte === 0x62) store<u8>(arena++, 0x08);
  else if (byte === 0x74) store<u8>(arena++, 0x09);
  else if (byte === 0x6e) store<u8>(arena++, 0x0a);
  else if (byte === 0x66) store<u8>(arena++, 0x0c);
  else if (byte === 0x72) store<u8>(arena++, 0x0d);
  else if (byte === 0x75) encode(codePoint());
  else fail();
}

function hex(): u32 {
  let number: u32 = 0;
  for (let place = 0; place < 4; place++) {
    const byte: u32 = next();
    const letter = byte | 0x20;
    if (byte >= 0x30 && byte <= 0x39) number = number * 16 + byte - 0x30;
    else if (letter >= 0x61 && letter <= 0x66) number = number * 16 + letter - 0x57;
    else fail();
  }
  return number;
}

/** After `\u`. A surrogate without the other one stays what it is. */
function codePoint(): u32 {
  const high = hex();
  if (high < 0xd800 || high >= 0xdc00) return high;
  if (inputEnd - position < 2 || load<u8>(position) !== BACKSLASH || load<u8>(position, 1) !== 0x75)
    return high;
  const back = position;
  position += 2;
  const low = hex();
  if (low >= 0xdc00 && low < 0xe000) return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  position = back;
  return high;
}

/** Appends a code point in UTF-8; a lone surrogate becomes U+FFFD. */
function encode(point: u32): void {
  if (point >= 0xd800 && point < 0xe000) point = 0xfffd;
  if (point < 0x80) {
    store<u8>(arena++, point);
    return;
  }
  if (point < 0x800) {
    store<u8>(arena++, 0xc0 | (point >> 6));
  } else {
    if (point < 0x10000) {
      store<u8>(arena++, 0xe0 | (point >> 12));
    } else {
      store<u8>(arena++, 0xf0 | (point >> 18));
      store<u8>(arena++, 0x80 | ((point >> 12) & 0x3f));
    }
    store<u8>(arena++, 0x80 | ((point >> 6) & 0x3f));
  }
  store<u8>(arena++, 0x80 | (point & 0x3f));
}

/** Passes over any value. */
function skip(depth: i32): void {
  if (depth === 0) fail();
  space();
  const byte = peek();
  if (byte === <i32>QUOTE) {
    readString();
  } else if (byte === <i32>OPEN_BRACE) {
    position++;
    if (follows(CLOSE_BRACE)) return;
    do {
      readString();
      expect(COLON);
      skip(depth - 1);
    } while (another(CLOSE_BRACE));
  } else if (byte === <i32>OPEN_BRACKET) {
    position++;
    if (follows(CLOSE_BRACKET)) return;
    do skip(depth - 1);
    while (another(CLOSE_BRACKET));
  } else {
    word();
  }
}

/** A number, true, false or null; which of them does not matter. */
function word(): void {
  const start = position;
  for (;;) {
    const byte = peek();
    const letter = byte | 0x20;
    const taken =
      (byte >= 0x30 && byte <= 0x39) ||
      (letter >= 0x61 && letter <= 0x7a) ||
      byte === 0x2b ||
      byte === <i32>DASH ||
      byte === <i32>DOT;
    if (byte < 0 || !taken) break;
    position++;
  }
  if (position === start) fail();
}

// ---- patterns

/** ends of groups, in their order */
let marks: usize = 0;
let markCount: u32 = 0;

function unit(pattern: string, at: i32): u8 {
  return <u8>load<u16>(changetype<usize>(pattern) + ((<usize>at) << 1));
}

/** Whether `pattern`, from `from`, matches the bytes from `at` to `end`. */
function matches(pattern: string, from: i32, at: usize, end: usize): bool {
  const length = pattern.length;
  if (from === length) return at === end;
  const first = unit(pattern, from);
  if (first === OPEN_GROUP || first === CLOSE_GROUP) {
    store<usize>(marks + ((<usize>markCount) << 2), at);
    markCount++;
    if (matches(pattern, from + 1, at, end)) return true;
    markCount--;
    return false;
  }
  let rest = from + 1;
  if (first === OPEN_BRACKET) while (unit(pattern, rest++) !== CLOSE_BRACKET);
  const atomEnd = rest;
  let least: usize = 1;
  let most: usize = 1;
  if (rest < length) {
    const sign = unit(pattern, rest);
    if (sign === 0x3f || sign === 0x2a) least = 0; // ? *
    if (sign === 0x2a || sign === 0x2b) most = usize.MAX_VALUE; // * +
    if (least === 0 || most !== 1) rest++;
  }
  let count: usize = 0;
  while (count < most && at + count < end && takes(pattern, from, atomEnd, load<u8>(at + count))) count++;
  // The longest first, then ever shorter.
  while (count >= least) {
    if (matches(pattern, rest, at + count, end)) return true;
    if (count === 0) break;
    count--;
  }
  return false;
}

/** Whether the atom of `pattern` from `from` to `end` is one that `byte` belongs to. */
function takes(pattern: string, from: i32, end: i32, byte: u8): bool {
  const first = unit(pattern, from);
  if (first === DOT) return true;
  if (first !== OPEN_BRACKET) return first === byte;
  let at = from + 1;
  while (at < end - 1) {
    const range = at + 2 < end - 1 && unit(pattern, at + 1) === DASH;
    if (byte >= unit(pattern, at) && byte <= unit(pattern, range ? at + 2 : at)) return true;
    at += range ? 3 : 1;
  }
  return false;
}

/** The route of a path: its name. Its parameters are left in `marks`. */
function findRoute(path: usize, end: usize): string {
  if (tries('/', path, end)) return 'home';
  if (tries('/users/([0-9]+)', path, end)) return 'user';
  if (tries('/articles/([a-z0-9-]+)/comments/([0-9]+)', path, end)) return 'comment';
  if (tries('/articles/([a-z0-9-]+)', path, end)) return 'article';
  if (tries('/assets/(.+)[.]([a-z]+)', path, end)) return 'asset';
  return 'other';
}

function tries(pattern: string, path: usize, end: usize): bool {
  markCount = 0;
  return matches(pattern, 0, path, end);
}

// ---- output

let out: usize = 0;

function put(literal: string): void {
  for (let at = 0; at < literal.length; at++) store<u8>(out++, unit(literal, at));
}

function digit(value: u8): u8 {
  return value < 10 ? 0x30 + value : 0x57 + value;
}

function putString(start: usize, end: usize): void {
  store<u8>(out++, QUOTE);
  for (let at = start; at < end; at++) {
    const byte = load<u8>(at);
    if (byte < 0x20) {
      put('\\u00');
      store<u8>(out++, digit(byte >> 4));
      store<u8>(out++, digit(byte & 15));
    } else {
      if (byte === QUOTE || byte === BACKSLASH) store<u8>(out++, BACKSLASH);
      store<u8>(out++, byte);
    }
  }
  store<u8>(out++, QUOTE);
}

function isText(literal: string): bool {
  if (textEnd - text !== <usize>literal.length) return false;
  for (let at = 0; at < literal.length; at++) {
    if (load<u8>(text + at) !== unit(literal, at)) return false;
  }
  return true;
}

function putHeaderName(): void {
  if (isText('host')) put('"authority"');
  else if (isText('user-agent')) put('"agent"');
  else putString(text, textEnd);
}

function writeAll(start: usize): void {
  const vector = take(16);
  while (start < out) {
    store<usize>(vector, start);
    store<usize>(vector, out - start, 4);
    if (fd_write(1, vector, 1, vector + 8) !== 0) fail();
    start += load<usize>(vector + 8);
  }
}

// ---- the program

/** Reads an object of strings, which is `written` or only looked at. */
function headers(written: bool): void {
  expect(OPEN_BRACE);
  if (follows(CLOSE_BRACE)) return;
  let more = false;
  do {
    readString();
    if (written) {
      if (more) put(',');
      putHeaderName();
    }
    expect(COLON);
    readString();
    if (written) {
      put(':');
      putString(text, textEnd);
    }
    more = true;
  } while (another(CLOSE_BRACE));
}

export function _start(): void {
  readAll();
  const size = inputEnd - input;
  // Decoded, strings are no longer than written; they are read twice. Escaped again, they are six times as long at most.
  arena = take(2 * size);
  marks = take(64);
  out = take(16 * size + 512);

  let path: usize = 0;
  let pathEnd: usize = 0;
  let method: usize = 0;
  let methodEnd: usize = 0;
  let headersAt: usize = 0;
  expect(OPEN_BRACE);
  if (!follows(CLOSE_BRACE)) {
    do {
      readString();
      expect(COLON);
      if (isText('path')) {
        readString();
        path = text;
        pathEnd = textEnd;
      } else if (isText('method')) {
        readString();
        method = text;
        methodEnd = textEnd;
      } else if (isText('headers')) {
        headersAt = position;
        headers(false);
      } else {
        skip(MAX_DEPTH);
      }
    } while (another(CLOSE_BRACE));
  }
  space();
  if (position !== inputEnd || path === 0 || method === 0 || headersAt === 0) fail();

  const start = out;
  put('{"route":"');
  put(findRoute(path, pathEnd));
  put('","params":[');
  for (let mark: u32 = 0; mark < markCount; mark += 2) {
    if (mark > 0) put(',');
    const ends = marks + ((<usize>mark) << 2);
    putString(load<usize>(ends), load<usize>(ends, 4));
  }
  put('],"target":');
  putString(path, pathEnd);
  put(',"verb":');
  for (let at = method; at < methodEnd; at++) {
    const byte = load<u8>(at);
    if (byte >= 0x61 && byte <= 0x7a) store<u8>(at, byte - 0x20);
  }
  putString(method, methodEnd);
  put(',"headers":{');
  position = headersAt;
  headers(true);
  put('}}');
  writeAll(start);
}
