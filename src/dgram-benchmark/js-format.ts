/** Benchmark datagrams in JavaScript; the layout is that of native/load/datagram_format.h, to the bit. */
import { headerBytes, type Identity } from './engine.js';

const magic = 0x31424744;
const high = 2 ** 32;

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) !== 0 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** CRC-32C (Castagnoli), continuing from `crc`; of '123456789' it is 0xe3069283. */
export function crc32c(crc: number, bytes: Uint8Array, from = 0, to = bytes.length): number {
  let value = ~crc;
  for (let at = from; at < to; at++) value = (value >>> 8) ^ table[(value ^ bytes[at]!) & 0xff]!;
  return ~value >>> 0;
}

export interface Reading {
  verdict: 'intact' | 'truncated' | 'corrupt';
  /** flow and sequence number can be trusted, although the payload may not */
  identified: boolean;
  flow: number;
  sequence: number;
  /** nanoseconds; 0 unless the datagrams are full */
  intended: number;
  actual: number;
}

export class DatagramFormat {
  readonly #payloadCrc: number;
  readonly #blank: Buffer;
  readonly #replyLength: number;
  readonly #reading: Reading = {
    verdict: 'corrupt',
    identified: false,
    flow: 0,
    sequence: 0,
    intended: 0,
    actual: 0,
  };

  constructor(
    readonly identity: Identity,
    size: number,
    body: Uint8Array,
    readonly nonce: number,
    /** what a reply must equal when the server does not echo */
    readonly expected: Uint8Array | null,
  ) {
    const header = headerBytes[identity];
    this.#blank = Buffer.alloc(size);
    for (let at = header; at < size; at++) {
      this.#blank[at] = body.length === 0 ? at - header : body[(at - header) % body.length]!;
    }
    this.#payloadCrc = crc32c(0, this.#blank, header);
    this.#replyLength = expected === null ? size : expected.length;
  }

  /** A datagram whose header is still to be written. */
  blank(): Buffer {
    return Buffer.from(this.#blank);
  }

  #compactCrc(bytes: Uint8Array): number {
    return crc32c(crc32c(this.nonce, bytes, 0, 4), bytes, 8);
  }

  write(datagram: Buffer, flow: number, sequence: number, intended: number, actual: number): void {
    if (this.identity === 'full') {
      datagram.writeUInt32LE(magic, 0);
      datagram.writeUInt32LE(flow, 4);
      put64(datagram, 8, sequence);
      put64(datagram, 16, intended);
      put64(datagram, 24, actual);
      datagram.writeUInt32LE(this.#payloadCrc, 32);
      datagram.writeUInt32LE(crc32c(this.nonce, datagram, 0, 36), 36);
    } else if (this.identity === 'compact') {
      datagram.writeUInt32LE(flow, 0);
      put64(datagram, 8, sequence);
      datagram.writeUInt32LE(this.#compactCrc(datagram), 4);
    }
  }

  /** The object is the same one each time: read it before the next reply. */
  read(reply: Buffer): Reading {
    const reading = this.#reading;
    const exact = reply.length === this.#replyLength;
    reading.verdict = reply.length < this.#replyLength ? 'truncated' : 'corrupt';
    reading.identified = false;
    if (this.identity === 'none') {
      if (exact && (!this.expected || reply.equals(this.expected))) reading.verdict = 'intact';
    } else if (this.identity === 'compact') {
      if (!exact || reply.readUInt32LE(4) !== this.#compactCrc(reply)) return reading;
      reading.verdict = 'intact';
      this.#identify(reply, 0);
    } else {
      const header = headerBytes.full;
      if (reply.length < header || reply.readUInt32LE(0) !== magic) return reading;
      if (reply.readUInt32LE(36) !== crc32c(this.nonce, reply, 0, 36)) return reading;
      this.#identify(reply, 4);
      reading.intended = get64(reply, 16);
      reading.actual = get64(reply, 24);
      if (exact && crc32c(0, reply, header) === this.#payloadCrc) reading.verdict = 'intact';
    }
    return reading;
  }

  #identify(reply: Buffer, flowAt: number): void {
    this.#reading.identified = true;
    this.#reading.flow = reply.readUInt32LE(flowAt);
    this.#reading.sequence = get64(reply, 8);
  }
}

/** Whole numbers below 2^53; fractions of a nanosecond are dropped. */
function put64(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32LE(Math.floor(value) % high, at);
  bytes.writeUInt32LE(Math.floor(value / high), at + 4);
}

const get64 = (bytes: Buffer, at: number) => bytes.readUInt32LE(at + 4) * high + bytes.readUInt32LE(at);
