/** The two ends of a bulk transfer, and who stands between them, for their tests. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { BackendName } from '../../src/contract/common.js';
import { type TransferResult, transferHello, transferResult } from '../../src/contract/transfer.js';
import { Child } from '../../src/hosts/child.js';
import { commandOf } from '../../src/hosts/program.js';
import {
  type ReceiverSpec,
  receiverProgram,
  type SenderSpec,
  senderProgram,
} from '../../src/programs/transfer.js';

const waitMs = 20_000;
const backend: BackendName = 'poll';

export class End {
  constructor(private readonly child: Child) {}

  async hello() {
    return transferHello.parse(await this.child.expect('hello', waitMs));
  }

  async result(): Promise<TransferResult> {
    return transferResult.parse(await this.child.expect('result', waitMs));
  }

  /** What it said on stderr, once it ended by itself. */
  async lastWords(): Promise<string> {
    while (this.child.ended() === null) await new Promise((resolve) => setTimeout(resolve, 5));
    return this.child.stderrTail();
  }

  end(): Promise<void> {
    return this.child.end(1000);
  }
}

/** Runs `body` with a way to start ends; all of them are ended behind it. */
export async function withEnds(body: (start: Start) => Promise<void>): Promise<void> {
  const ends: End[] = [];
  const started = (name: string, program: ReturnType<typeof receiverProgram>) => {
    const end = new End(new Child(name, commandOf(program)));
    ends.push(end);
    return end;
  };
  try {
    await body({
      async receiver(spec = {}) {
        const end = started('the receiver', receiverProgram({ backend, control: true, ...spec }));
        const hello = await end.hello();
        if (hello.role !== 'receiver') throw new Error('it is no receiver');
        return { end, port: hello.port };
      },
      sender: (spec) =>
        started(
          'the sender',
          senderProgram({
            ...{
              backend,
              control: true,
              streams: 1,
              way: 'copy',
              checked: true,
              length: { bytes: 1_000_003 },
            },
            ...spec,
          }),
        ),
    });
  } finally {
    await Promise.all(ends.map((end) => end.end()));
  }
}

interface Start {
  receiver(spec?: Partial<ReceiverSpec>): Promise<{ end: End; port: number }>;
  sender(spec: Partial<SenderSpec> & { port: number }): End;
}

/** Listens on loopback while `body` runs, and hands every connection to `serve`. */
export async function listening(
  serve: (socket: Socket) => void,
  body: (port: number) => Promise<void>,
): Promise<void> {
  const sockets: Socket[] = [];
  // What the one side ends, the other still answers.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    sockets.push(socket);
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await body((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

const mask = (1n << 64n) - 1n;
const [p1, p2, p3, p4, p5] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
] as const;
const rotated = (x: bigint, by: bigint) => ((x << by) | (x >> (64n - by))) & mask;
const round = (lane: bigint, input: bigint) => (rotated((lane + input * p2) & mask, 31n) * p1) & mask;

/** XXH64 as its specification has it, word by word: slow, and written apart from the one that is tested. */
export function xxh64(bytes: Buffer): string {
  const lanes = [(p1 + p2) & mask, p2, 0n, (mask + 1n - p1) & mask];
  let at = 0;
  for (; at + 32 <= bytes.length; at += 32) {
    for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i]!, bytes.readBigUInt64LE(at + 8 * i));
  }
  let hash: bigint = p5;
  if (bytes.length >= 32) {
    hash = [1n, 7n, 12n, 18n].reduce((sum, by, i) => sum + rotated(lanes[i]!, by), 0n) & mask;
    for (const lane of lanes) hash = ((hash ^ round(0n, lane)) * p1 + p4) & mask;
  }
  hash = (hash + BigInt(bytes.length)) & mask;
  for (; at + 8 <= bytes.length; at += 8)
    hash = (rotated(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * p1 + p4) & mask;
  for (; at + 4 <= bytes.length; at += 4)
    hash = (rotated(hash ^ ((BigInt(bytes.readUInt32LE(at)) * p1) & mask), 23n) * p2 + p3) & mask;
  for (; at < bytes.length; at++)
    hash = (rotated(hash ^ ((BigInt(bytes[at]!) * p5) & mask), 11n) * p1) & mask;
  hash = ((hash ^ (hash >> 33n)) * p2) & mask;
  hash = ((hash ^ (hash >> 29n)) * p3) & mask;
  return (hash ^ (hash >> 32n)).toString(16).padStart(16, '0');
}
