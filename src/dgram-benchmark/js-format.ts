/** Benchmark datagrams in JavaScript; the layout is that of native/load/datagram_format.h, to the bit. */
import { headerBytes, type Identity } from './engine.js';

const magic = 0x31424744;
const high = 2 ** 32;

/** tables[k][b]: what byte b adds to the checksum when k bytes follow it. */
const tables = [
  Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit++) value = (value & 1) !== 0 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
    return value;
  }),
];
const [last] = tables as [Uint32Array];
for (let k = 1; k < 4; k++) tables[k] = tables[k - 1]!.map((value) => (value >>> 8) ^ last[value & 0xff]!);
const [third, second, first] = tables.slice(1) as [Uint32Array, Uint32Array, Uint32Array];

/** CRC-32C (Castagnoli), continuing from `crc`; of '123456789' it is 0xe3069283. Four bytes a step. */
export function crc32c(crc: number, bytes: Uint8Array, from = 0, to = bytes.length): number {
  let value = ~crc;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    value ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    value =
      first[value & 0xff]! ^
      second[(value >>> 8) & 0xff]! ^
      third[(value >>> 16) & 0xff]! ^
      last[value >>> 24]!;
  }
  for (; at < to; at++) value = (value >>> 8) ^ last[(value ^ bytes[at]!) & 0xff]!;
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
      put32(datagram, 0, magic);
      put32(datagram, 4, flow);
      put64(datagram, 8, sequence);
      put64(datagram, 16, intended);
      put64(datagram, 24, actual);
      put32(datagram, 32, this.#payloadCrc);
      put32(datagram, 36, crc32c(this.nonce, datagram, 0, 36));
    } else if (this.identity === 'compact') {
      put32(datagram, 0, flow);
      put64(datagram, 8, sequence);
      put32(datagram, 4, this.#compactCrc(datagram));
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

/** Byte by byte: half the cost of Buffer's checked writes. */
function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Whole numbers below 2^53; fractions of a nanosecond are dropped. */
function put64(bytes: Uint8Array, at: number, value: number): void {
  const upper = Math.floor(value / high);
  put32(bytes, at, value - upper * high);
  put32(bytes, at + 4, upper);
}

const get64 = (bytes: Buffer, at: number) => bytes.readUInt32LE(at + 4) * high + bytes.readUInt32LE(at);
