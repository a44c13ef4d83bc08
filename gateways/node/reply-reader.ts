/**
 * Reads the upstream's reply to one request, for the gateway whose thread blocks in a poller and so cannot use Node's
 * client: head, then a body by Content-Length, in chunks, or up to the end of the stream.
 */
import { MOST_BODY, type Reply } from './forward.js';
import { Refusal } from './refusal.js';

const MOST_HEAD = 65_536;
/** Of a chunk's size and its extensions. */
const MOST_LINE = 1024;
/** Framing of chunks is no body; an upstream that sends more of it than this is cut off. */
const MOST_BYTES = MOST_HEAD + 2 * MOST_BODY;
const HEAD_END = '\r\n\r\n';

const broken = () => new Refusal(502, "the upstream's reply is cut short or no HTTP");

interface Head {
  status: number;
  type: string | undefined;
  /** bytes of the body; 'chunks', or 'rest': up to the end of the stream */
  length: number | 'chunks' | 'rest';
}

/** @throws Refusal */
function headOf(text: string): Head {
  const [first, ...lines] = text.split('\r\n');
  const [, code] = first!.match(/^HTTP\/1\.[01] ([1-5]\d\d)(?: .*)?$/) ?? [];
  if (code === undefined) throw broken();
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 1).trim();
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw broken();
    fields.set(name.toLowerCase(), value);
  }
  const status = Number(code);
  const type = fields.get('content-type');
  if (status === 204 || status === 304) return { status, type, length: 0 };
  if (/(^|,)[ \t]*chunked$/i.test(fields.get('transfer-encoding') ?? ''))
    return { status, type, length: 'chunks' };
  const length = fields.get('content-length');
  if (length === undefined) return { status, type, length: 'rest' };
  if (!/^\d{1,15}$/.test(length)) throw broken();
  return { status, type, length: Number(length) };
}

export class ReplyReader {
  #bytes = Buffer.alloc(0);
  #head: Head | null = null;
  readonly #chunks: Buffer[] = [];
  #bodyBytes = 0;
  #total = 0;

  /** Takes bytes as they come. @returns the reply once it is whole. @throws Refusal */
  take(bytes: Uint8Array): Reply | null {
    this.#total += bytes.length;
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    while (this.#head === null) {
      const end = this.#bytes.indexOf(HEAD_END, 0, 'latin1');
      if ((end < 0 ? this.#bytes.length : end) > MOST_HEAD) throw broken();
      if (end < 0) return null;
      const head = headOf(this.#bytes.toString('latin1', 0, end));
      this.#bytes = this.#bytes.subarray(end + HEAD_END.length);
      if (head.status >= 200) this.#head = head; // an interim reply: the real one follows
    }
    const { length } = this.#head;
    const whole = length === 'chunks' ? this.#takeChunks() : this.#takePlain(length);
    if (this.#bodyBytes > MOST_BODY || this.#total > MOST_BYTES)
      throw new Refusal(502, "the upstream's reply is longer than 1 MiB");
    return whole ? this.#reply() : null;
  }

  /** The stream ended. @throws Refusal */
  finish(): Reply {
    if (this.#head?.length !== 'rest') throw broken();
    return this.#reply();
  }

  #reply(): Reply {
    const { status, type } = this.#head!;
    return { status, type, body: Buffer.concat(this.#chunks) };
  }

  #keep(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.#bodyBytes += bytes.length;
  }

  #takePlain(length: number | 'rest'): boolean {
    const left = length === 'rest' ? Number.POSITIVE_INFINITY : length - this.#bodyBytes;
    this.#keep(this.#bytes.subarray(0, Math.min(left, this.#bytes.length)));
    this.#bytes = Buffer.alloc(0);
    return this.#bodyBytes === length;
  }

  /** @returns whether the last chunk and its trailers are there */
  #takeChunks(): boolean {
    for (;;) {
      const lineEnd = this.#bytes.indexOf('\r\n', 0, 'latin1');
      if ((lineEnd < 0 ? this.#bytes.length - 1 : lineEnd) > MOST_LINE) throw broken();
      if (lineEnd < 0) return false;
      const [, digits] =
        this.#bytes.toString('latin1', 0, lineEnd).match(/^([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?$/) ?? [];
      if (digits === undefined) throw broken();
      const size = Number.parseInt(digits, 16);
      const from = lineEnd + 2;
      if (size === 0) return this.#bytes.indexOf(HEAD_END, lineEnd, 'latin1') >= 0;
      if (this.#bodyBytes + size > MOST_BODY) {
        this.#bodyBytes += size;
        return false;
      }
      if (this.#bytes.length < from + size + 2) return false;
      if (this.#bytes.toString('latin1', from + size, from + size + 2) !== '\r\n') throw broken();
      this.#keep(this.#bytes.subarray(from, from + size));
      this.#bytes = this.#bytes.subarray(from + size + 2);
    }
  }
}
