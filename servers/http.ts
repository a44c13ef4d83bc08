/**
 * HTTP/1.x, pipelining included: all answers to one read leave in one send. One answer, by far the most frequent case, is
 * sent from where it lies in the slab; several are put together in the staging part.
 */
import { COMPLETE, HttpRequest, NEED_MORE, PROCEED } from './http-request.js';
import { answerTo, CONTINUE, refusalOf, responses } from './http-response.js';
import { STAGING_BYTES, TEXTS_BYTES } from './io-desk.js';
import type { StreamProtocol } from './protocol.js';
import type { Statistics } from './statistics.js';

/** The shortest request has 23 bytes and its answer 79; a pending request may be completed by one byte. */
const MOST_ANSWER_PER_BYTE = 4;
const MOST_ANSWER_EXTRA = 512;

export class Http implements StreamProtocol {
  replyOffset = 0;
  replyLength = 0;
  replyCloses = false;
  readonly #slab: Uint8Array;
  readonly #statistics: Statistics;
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = responses.map((text) => text.length);
  #staged = TEXTS_BYTES;
  /** parser of every connection that is not between two requests; the others share `#idle` */
  readonly #partial: (HttpRequest | null)[];
  readonly #pool: HttpRequest[] = [];
  #idle = new HttpRequest();

  constructor(slab: Uint8Array, statistics: Statistics, slots: number) {
    this.#slab = slab;
    this.#statistics = statistics;
    this.#partial = new Array<HttpRequest | null>(slots).fill(null);
    let at = 0;
    for (const text of responses) {
      slab.set(text, at);
      this.#offsets.push(at);
      at += text.length;
    }
  }

  answer(slot: number, offset: number, length: number): void {
    const known = this.#partial[slot]!;
    const request = known === null ? this.#idle : known;
    const end = offset + length;
    let at = offset;
    this.replyLength = 0;
    this.replyCloses = false;
    while (at < end) {
      const parsed = request.feed(this.#slab, at, end);
      at = request.taken;
      if (parsed === COMPLETE) {
        this.#statistics.requests++;
        this.#put(answerTo(request));
        if (!request.keepsAlive) {
          this.replyCloses = true;
          break;
        }
      } else if (parsed === PROCEED) {
        this.#put(CONTINUE);
      } else if (parsed !== NEED_MORE) {
        this.#statistics.rejected++;
        this.#put(refusalOf(request.status));
        this.replyCloses = true;
        request.reset();
        break;
      }
    }
    if (known === null) {
      if (request.started) this.#keep(slot, request);
    } else if (!request.started) {
      this.forget(slot);
    }
  }

  hasRoom(length: number): boolean {
    return this.#staged + length * MOST_ANSWER_PER_BYTE + MOST_ANSWER_EXTRA <= TEXTS_BYTES + STAGING_BYTES;
  }

  recycle(): void {
    this.#staged = TEXTS_BYTES;
  }

  forget(slot: number): void {
    const request = this.#partial[slot];
    if (request === null || request === undefined) return;
    request.reset();
    this.#pool.push(request);
    this.#partial[slot] = null;
  }

  #keep(slot: number, request: HttpRequest): void {
    this.#partial[slot] = request;
    this.#idle = this.#pool.pop() ?? new HttpRequest();
  }

  #put(text: number): void {
    const offset = this.#offsets[text]!;
    const length = this.#lengths[text]!;
    if (this.replyLength === 0) {
      this.replyOffset = offset;
      this.replyLength = length;
      return;
    }
    if (this.replyOffset < TEXTS_BYTES) {
      const first = this.#staged;
      this.#stage(this.replyOffset, this.replyLength);
      this.replyOffset = first;
    }
    this.#stage(offset, length);
    this.replyLength += length;
  }

  #stage(offset: number, length: number): void {
    this.#slab.copyWithin(this.#staged, offset, offset + length);
    this.#staged += length;
  }
}
