/**
 * Calls by gRPC over HTTP/2, and their messages, as far as a few calls with a few fields take it: without the packages for it, so
 * that as little as possible stands between a client and what is measured.
 */
import { type ClientHttp2Session, connect } from 'node:http2';
import { type HostPort, targetText } from '../options.js';

const BYTES = 2;

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}

/** A field of bytes. */
export function field(number: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([(number << 3) | BYTES, ...varint(bytes.length)]), bytes]);
}

/** Fields of a message: numbers as they are, messages and texts as bytes. */
function* fieldsOf(bytes: Buffer): Generator<{ number: number; value: bigint | Buffer }> {
  let at = 0;
  const read = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63n) throw new Error('it answers what is no message');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(read());
    const number = tag >> 3;
    if ((tag & 7) === 0) {
      yield { number, value: read() };
    } else if ((tag & 7) === BYTES) {
      const length = Number(read());
      yield { number, value: bytes.subarray(at, at + length) };
      at += length;
    } else {
      throw new Error('it answers what is no message of this interface');
    }
  }
}

/** The first field of this number. */
export function found(bytes: Buffer, number: number): bigint | Buffer | undefined {
  for (const one of fieldsOf(bytes)) if (one.number === number) return one.value;
  return undefined;
}

/** A connection; what goes wrong with it shows in its calls. */
export function opened(at: HostPort): ClientHttp2Session {
  const session = connect(`http://${targetText(at)}`);
  session.on('error', () => {});
  return session;
}

/** One call. @throws Error when it fails, or takes longer */
export function call(
  session: ClientHttp2Session,
  path: string,
  message: Buffer,
  patienceMs: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${patienceMs}m`,
    });
    const parts: Buffer[] = [];
    const timer = setTimeout(() => stream.destroy(new Error('no answer')), patienceMs);
    let status: string | undefined;
    stream.on('response', (headers) => {
      status = headers['grpc-status'] as string | undefined;
    });
    stream.on('trailers', (trailers) => {
      status = trailers['grpc-status'] as string | undefined;
    });
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    stream.on('close', () => {
      clearTimeout(timer);
      const whole = Buffer.concat(parts);
      if (status === '0' && whole.length >= 5) resolve(whole.subarray(5, 5 + whole.readUInt32BE(1)));
      else reject(new Error(`status ${status ?? 'none'}`));
    });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([head, message]));
  });
}
