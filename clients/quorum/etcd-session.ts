/**
 * A client of etcd by its own interface, gRPC over HTTP/2 (etcdserverpb.KV, rpc.proto), without the packages for it: two calls
 * and a few fields, so that as little as possible stands between the client and what is measured.
 */
import { type ClientHttp2Session, connect } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';
import { type HostPort, targetText } from '../../src/options.js';
import type { QuorumClientSpec } from '../../src/programs/quorum.js';
import type { Operation } from '../../src/quorum/machine.js';
import type { Answer, Hint, Session } from './session.js';

/** Before the next member is asked, milliseconds. */
const PAUSE_MS = 5;
const BYTES = 2;

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}

/** A field of bytes. */
function field(number: number, text: string): Buffer {
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
      if (byte === undefined || shift > 63n) throw new Error('etcd answers what is no message');
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
      throw new Error('etcd answers what is no message of this interface');
    }
  }
}

function found(bytes: Buffer, number: number): bigint | Buffer | undefined {
  for (const one of fieldsOf(bytes)) if (one.number === number) return one.value;
  return undefined;
}

/** One call. @throws Error when it fails, or takes longer */
function call(
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

const opened = (at: HostPort): ClientHttp2Session => {
  const session = connect(`http://${targetText(at)}`);
  session.on('error', () => {});
  return session;
};

/** A group that has just been started, or lost its leader, has agreed on one long before. */
const LEADER_MS = 15_000;

async function leads(at: HostPort, patienceMs: number): Promise<boolean> {
  const session = opened(at);
  try {
    const status = await call(session, '/etcdserverpb.Maintenance/Status', Buffer.alloc(0), patienceMs);
    const header = found(status, 1);
    const leader = found(status, 4);
    return Buffer.isBuffer(header) && leader !== undefined && leader !== 0n && found(header, 2) === leader;
  } catch {
    return false; // another one is asked
  } finally {
    session.destroy();
  }
}

/** Number of the member that leads, asked for until one says that it does. @throws Error when none does */
export async function etcdLeader(members: readonly HostPort[], patienceMs: number): Promise<number> {
  for (const deadline = performance.now() + LEADER_MS; performance.now() < deadline; await pause(20))
    for (const [number, at] of members.entries()) if (await leads(at, patienceMs)) return number;
  throw new Error(`no member of etcd led within ${LEADER_MS / 1000} s`);
}

export class EtcdSession implements Session {
  readonly #spec: QuorumClientSpec;
  readonly #hint: Hint;
  #target: number;
  #session: ClientHttp2Session | null = null;

  constructor(_number: number, spec: QuorumClientSpec, hint: Hint) {
    this.#spec = spec;
    this.#hint = hint;
    this.#target = hint.leader;
  }

  get leader(): number {
    return this.#hint.leader;
  }

  /** Once: etcd has no sessions that would have it carry out a request once that is asked for twice. */
  async ask(operation: Operation): Promise<Answer> {
    try {
      if (this.#session === null || this.#session.closed || this.#session.destroyed)
        this.#session = opened(this.#spec.replicas[this.#target]!);
      return { reply: await this.#carriedOut(this.#session, operation), spent: null, repeated: 0 };
    } catch {
      this.#session?.destroy();
      this.#session = null;
      this.#target = (this.#target + 1) % this.#spec.replicas.length;
      await pause(PAUSE_MS);
      return { reply: null, spent: null, repeated: 1 };
    }
  }

  async #carriedOut(session: ClientHttp2Session, operation: Operation): Promise<string> {
    const { patienceMs } = this.#spec;
    if (operation.kind === 'put') {
      const message = Buffer.concat([field(1, operation.key), field(2, operation.value)]);
      await call(session, '/etcdserverpb.KV/Put', message, patienceMs);
      return 'ok';
    }
    const answer = await call(session, '/etcdserverpb.KV/Range', field(1, operation.key), patienceMs);
    const pair = found(answer, 2);
    const value = Buffer.isBuffer(pair) ? found(pair, 5) : undefined;
    return Buffer.isBuffer(value) ? value.toString() : '';
  }

  close(): void {
    this.#session?.destroy();
  }
}
