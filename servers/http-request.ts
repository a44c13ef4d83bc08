/**
 * A strict, small, incremental parser of HTTP/1.x requests: native/servers/http_request.cc in TypeScript, state for state, so
 * that all implementations take and refuse the same bytes. It keeps no bytes; bodies are counted, not stored.
 */

/** Bytes of request line and header fields together, line ends included, unless another limit is given; longer is answered with 431. */
export const MAX_HEAD_BYTES = 8192;

/** What feed() stopped at. */
export const NEED_MORE = 0;
/** the head is over and the client waits for 100 Continue before it sends the body */
export const PROCEED = 1;
/** a request is over: answer it, then feed the rest */
export const COMPLETE = 2;
/** not a request this server takes: answer `status` and close; feed no more */
export const REJECTED = 3;

/** Bits of HttpRequest.flags. */
export const HEAD_METHOD = 1;
export const VERSION_1_0 = 2;
const WANTS_CLOSE = 4;
const WANTS_KEEP_ALIVE = 8;
const EXPECTS_CONTINUE = 16;
const HAS_LENGTH = 32;
const HAS_HOST = 64;
const WORD_ENDED = 128;

const METHOD = 0;
const TARGET = 1;
const VERSION = 2;
const LINE_CR = 3;
const LINE_LF = 4;
const FIELD_START = 5;
const FIELD_NAME = 6;
const VALUE_OTHER = 7;
const VALUE_LENGTH = 8;
const VALUE_TOKENS = 9;
const VALUE_EXPECT = 10;
const HEAD_LF = 11;
const BODY = 12;

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const COMMA = 44;
const ZERO = 48;
const COLON = 58;

/** Character classes, one look-up per byte. */
const TOKEN = 1;
const VISIBLE = 2;
const TEXT = 4;
const classOf = Uint8Array.from({ length: 256 }, (_, c) => {
  const token = /[0-9A-Za-z!#$%&'*+\-.^_`|~]/.test(String.fromCharCode(c));
  const text = c === TAB || (c >= SPACE && c !== 127);
  return (token ? TOKEN : 0) | (c > SPACE && c < 127 ? VISIBLE : 0) | (text ? TEXT : 0);
});
const lowerOf = Uint8Array.from({ length: 256 }, (_, c) => (c >= 65 && c <= 90 ? c | 32 : c));

/** Words with a meaning. The first letter decides which one a text may be; OTHER stands for all the rest. */
const OTHER = 0;
const HOST = 1;
const CONNECTION = 2;
const CONTENT_LENGTH = 3;
const TRANSFER_ENCODING = 4;
const EXPECT = 5;
const CLOSE = 6;
const KEEP_ALIVE = 7;
const HUNDRED_CONTINUE = 8;
const HEAD = 9;
const CONNECT = 10;
const words = [
  '',
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'expect',
  'close',
  'keep-alive',
  '100-continue',
  'HEAD',
  'CONNECT',
].map((word) => Buffer.from(word));
const version = Buffer.from('HTTP/1.');
const usualVersion = Buffer.from('HTTP/1.1\r\n');
const MAJOR_DIGIT = 5;
const MAX_LENGTH_DIGITS = 15;

const byFirstLetter = (...wordIds: number[]): Uint8Array => {
  const table = new Uint8Array(256);
  for (const id of wordIds) table[words[id]![0]!] = id;
  return table;
};
/** CONTENT_LENGTH shares its first letters with CONNECTION; extendWord tells them apart. */
const fieldStartingWith = byFirstLetter(HOST, CONNECTION, TRANSFER_ENCODING, EXPECT);
const methodStartingWith = byFirstLetter(HEAD, CONNECT);
const valueStartingWith = byFirstLetter(CLOSE, KEEP_ALIVE, HUNDRED_CONTINUE);

export class HttpRequest {
  /** Content-Length, then what is left of the body */
  bodyLeft = 0;
  headBytes = 0;
  /** of the request being read, or of the one just completed */
  flags = 0;
  /** position after the bytes that feed() took */
  taken = 0;
  /** HTTP status, set only when rejected */
  status = 0;
  #state = METHOD;
  #word = OTHER;
  #matched = 0;
  readonly #mostHead: number;

  constructor(mostHead = MAX_HEAD_BYTES) {
    this.#mostHead = mostHead;
  }

  /** In the middle of a request. */
  get started(): boolean {
    return this.#state !== METHOD || this.headBytes !== 0;
  }

  /** Whether the connection stays open after the answer to the request just completed. */
  get keepsAlive(): boolean {
    const flags = this.flags;
    return (flags & WANTS_CLOSE) === 0 && ((flags & VERSION_1_0) === 0 || (flags & WANTS_KEEP_ALIVE) !== 0);
  }

  reset(): void {
    this.bodyLeft = 0;
    this.headBytes = 0;
    this.flags = 0;
    this.#state = METHOD;
    this.#word = OTHER;
    this.#matched = 0;
  }

  /** Takes bytes of [from, to) up to the first thing to act upon, and sets `taken`. */
  feed(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    if (this.#state !== BODY) {
      if (this.headBytes === 0) this.reset();
      const room = from + this.#mostHead - this.headBytes;
      const limit = to < room ? to : room;
      while (this.#state !== BODY) {
        at = this.#skipRun(bytes, at, limit);
        if (at >= limit) break;
        const status = this.#takeHeadByte(bytes[at++]!);
        if (status !== 0) return this.#reject(status, at);
      }
      this.headBytes += at - from;
      if (this.#state !== BODY) {
        if (limit < to) return this.#reject(431, at);
        this.taken = to;
        return NEED_MORE;
      }
      if ((this.flags & (EXPECTS_CONTINUE | VERSION_1_0)) === EXPECTS_CONTINUE && this.bodyLeft > 0) {
        this.taken = at;
        return PROCEED;
      }
    }
    const available = to - at;
    const eaten = available < this.bodyLeft ? available : this.bodyLeft;
    this.bodyLeft -= eaten;
    this.taken = at + eaten;
    if (this.bodyLeft > 0) return NEED_MORE;
    this.#state = METHOD;
    this.headBytes = 0;
    return COMPLETE;
  }

  #reject(status: number, taken: number): number {
    this.status = status;
    this.taken = taken;
    return REJECTED;
  }

  /** Takes runs of bytes that change nothing, and the usual end of a request line, without a call for each byte. */
  #skipRun(bytes: Uint8Array, from: number, limit: number): number {
    let wanted: number;
    switch (this.#state) {
      case VALUE_OTHER:
        wanted = TEXT;
        break;
      case TARGET:
        if (this.#matched === 0) return from;
        wanted = VISIBLE;
        break;
      case FIELD_NAME:
      case METHOD:
        if (this.#word !== OTHER || this.#matched === 0) return from;
        wanted = TOKEN;
        break;
      case VERSION:
        return this.#matched === 0 ? this.#skipVersion(bytes, from, limit) : from;
      default:
        return from;
    }
    let at = from;
    while (at < limit && (classOf[bytes[at]!]! & wanted) !== 0) at++;
    return at;
  }

  #skipVersion(bytes: Uint8Array, from: number, limit: number): number {
    if (from + usualVersion.length > limit) return from;
    for (let i = 0; i < usualVersion.length; i++) {
      if (bytes[from + i] !== usualVersion[i]) return from;
    }
    this.#state = FIELD_START;
    return from + usualVersion.length;
  }

  /** This and the methods below return the status to reject with, 0 to go on. */
  #takeHeadByte(c: number): number {
    switch (this.#state) {
      case METHOD:
        if ((classOf[c]! & TOKEN) !== 0) {
          if (this.#matched === 0) this.#beginWord(methodStartingWith[c]!);
          else this.#extendWord(c);
          return 0;
        }
        if (c !== SPACE || this.#matched === 0) return 400;
        if (this.#isWord(CONNECT)) return 501; // nothing here is a proxy, and a 200 would promise a tunnel
        if (this.#isWord(HEAD)) this.flags |= HEAD_METHOD;
        this.#forgetWord();
        this.#state = TARGET;
        return 0;
      case TARGET:
        if ((classOf[c]! & VISIBLE) !== 0) {
          this.#matched = 1;
          return 0;
        }
        if (c !== SPACE || this.#matched === 0) return 400;
        this.#matched = 0;
        this.#state = VERSION;
        return 0;
      case VERSION:
        return this.#takeVersion(c);
      case LINE_CR:
        this.#state = LINE_LF;
        return c === CR ? 0 : 400;
      case LINE_LF:
        this.#state = FIELD_START;
        return c === LF ? 0 : 400;
      case FIELD_START:
        if (c === CR) {
          this.#state = HEAD_LF;
          return 0;
        }
        this.#state = FIELD_NAME;
        this.#beginWord(fieldStartingWith[lowerOf[c]!]!);
        return (classOf[c]! & TOKEN) !== 0 ? 0 : 400;
      case FIELD_NAME:
        if (c === COLON) return this.#endFieldName();
        this.#extendWord(lowerOf[c]!);
        return (classOf[c]! & TOKEN) !== 0 ? 0 : 400;
      case VALUE_OTHER:
        if (c === CR) {
          this.#state = LINE_LF;
          return 0;
        }
        return (classOf[c]! & TEXT) !== 0 ? 0 : 400;
      case VALUE_LENGTH:
        return this.#takeLength(c);
      case VALUE_TOKENS:
      case VALUE_EXPECT:
        return this.#takeWord(c);
      default: // HEAD_LF
        this.#state = BODY;
        return c === LF && (this.flags & (HAS_HOST | VERSION_1_0)) !== 0 ? 0 : 400;
    }
  }

  #takeVersion(c: number): number {
    const digit = c >= ZERO && c <= ZERO + 9;
    if (this.#matched === version.length) {
      if (!digit) return 400;
      if (c === ZERO) this.flags |= VERSION_1_0;
      this.#state = LINE_CR;
      return 0;
    }
    if (version[this.#matched] !== c) return this.#matched === MAJOR_DIGIT && digit ? 505 : 400;
    this.#matched++;
    return 0;
  }

  #endFieldName(): number {
    this.#state = VALUE_OTHER;
    if (this.#isWord(HOST)) {
      if ((this.flags & HAS_HOST) !== 0) return 400;
      this.flags |= HAS_HOST;
    } else if (this.#isWord(CONTENT_LENGTH)) {
      if ((this.flags & HAS_LENGTH) !== 0) return 400;
      this.flags |= HAS_LENGTH;
      this.#state = VALUE_LENGTH;
    } else if (this.#isWord(TRANSFER_ENCODING)) {
      return 501;
    } else if (this.#isWord(CONNECTION)) {
      this.#state = VALUE_TOKENS;
    } else if (this.#isWord(EXPECT)) {
      this.#state = VALUE_EXPECT;
    }
    this.#forgetWord();
    return 0;
  }

  #takeLength(c: number): number {
    if (c === CR) {
      const any = this.#matched > 0;
      this.#forgetWord();
      this.#state = LINE_LF;
      return any ? 0 : 400;
    }
    if (c === SPACE || c === TAB) {
      if (this.#matched > 0) this.flags |= WORD_ENDED;
      return 0;
    }
    const digit = c >= ZERO && c <= ZERO + 9;
    if (!digit || (this.flags & WORD_ENDED) !== 0 || this.#matched === MAX_LENGTH_DIGITS) return 400;
    this.bodyLeft = this.bodyLeft * 10 + (c - ZERO);
    this.#matched++;
    return 0;
  }

  /** Connection (a list) and Expect (one word), both without regard to case. */
  #takeWord(c: number): number {
    if (c === CR || (c === COMMA && this.#state === VALUE_TOKENS)) {
      if (this.#state === VALUE_EXPECT) {
        if (!this.#isWord(HUNDRED_CONTINUE)) return 417;
        this.flags |= EXPECTS_CONTINUE;
      } else if (this.#isWord(CLOSE)) {
        this.flags |= WANTS_CLOSE;
      } else if (this.#isWord(KEEP_ALIVE)) {
        this.flags |= WANTS_KEEP_ALIVE;
      }
      this.#forgetWord();
      if (c === CR) this.#state = LINE_LF;
    } else if (c === SPACE || c === TAB) {
      if (this.#matched > 0) this.flags |= WORD_ENDED;
    } else if ((classOf[c]! & TEXT) === 0) {
      return 400;
    } else if ((this.flags & WORD_ENDED) !== 0) {
      this.#word = OTHER;
    } else if (this.#matched === 0) {
      this.#beginWord(valueStartingWith[lowerOf[c]!]!);
    } else {
      this.#extendWord(lowerOf[c]!);
    }
    return 0;
  }

  #isWord(word: number): boolean {
    return this.#word === word && this.#matched === words[word]!.length;
  }

  #beginWord(word: number): void {
    this.#word = word;
    this.#matched = 1;
  }

  #extendWord(c: number): void {
    const known = words[this.#word]!;
    if (this.#matched < known.length && known[this.#matched] === c) {
      this.#matched++;
    } else if (this.#word === CONNECTION && this.#matched === 3 && c === 116) {
      this.#word = CONTENT_LENGTH; // the two names part after "con"
      this.#matched = 4;
    } else {
      this.#word = OTHER;
    }
  }

  #forgetWord(): void {
    this.#word = OTHER;
    this.#matched = 0;
    this.flags &= ~WORD_ENDED;
  }
}
