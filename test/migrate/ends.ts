/** The two ends of a migration, who stands between them, and frames as anybody might send them, for the tests. */
import { spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { programPath } from '../../src/addon.js';
import type { BackendName } from '../../src/contract/common.js';
import { codecsLine, migrateHello, migrateResult, pagesLine } from '../../src/contract/migrate.js';
import { Child } from '../../src/hosts/child.js';
import { commandOf, type Program } from '../../src/hosts/program.js';
import {
  codecsProgram,
  type MemoryReceiverSpec,
  type MemorySenderSpec,
  type MemorySpec,
  memoryReceiver,
  memorySender,
  pagesProgram,
} from '../../src/programs/migrate.js';
import { xxh64 } from '../transfer/ends.js';

const waitMs = 30_000;
const backend: BackendName = 'poll';
export const page = 4096;

export class End {
  constructor(readonly child: Child) {}

  async result() {
    return migrateResult.parse(await this.child.expect('result', waitMs));
  }

  end(): Promise<void> {
    return this.child.end(1000);
  }
}

interface Start {
  receiver(spec?: Partial<MemoryReceiverSpec>): Promise<{ end: End; port: number }>;
  sender(spec: Partial<MemorySenderSpec> & { port: number }): End;
}

/** Runs `body` with a way to start ends; all of them are ended behind it. */
export async function withEnds(body: (start: Start) => Promise<void>): Promise<void> {
  const ends: End[] = [];
  const started = (name: string, program: Program) => {
    const end = new End(new Child(name, commandOf(program)));
    ends.push(end);
    return end;
  };
  const memory: MemorySpec = { pages: 'mixed', bytes: 4 << 20 };
  try {
    await body({
      async receiver(spec = {}) {
        const end = started('the receiver', memoryReceiver({ backend, ...spec }));
        const hello = migrateHello.parse(await end.child.expect('hello', waitMs));
        if (hello.role !== 'receiver') throw new Error('it is no receiver');
        return { end, port: hello.port };
      },
      sender: (spec) => started('the sender', memorySender({ backend, codec: 'none', memory, ...spec })),
    });
  } finally {
    await Promise.all(ends.map((end) => end.end()));
  }
}

function lineOf(program: Program): unknown {
  const { command, args } = commandOf(program);
  const { stdout, stderr, status } = spawnSync(command, [...args], { encoding: 'utf8', maxBuffer: 1 << 24 });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

export const pagesOf = (memory: MemorySpec, into?: string) =>
  pagesLine.parse(lineOf(pagesProgram(memory, into)));
export const codecsOf = (memory: MemorySpec, dirty?: number, codec?: string) =>
  codecsLine.parse(lineOf(codecsProgram(memory, dirty, codec)));

/** What the program says when it is asked for something that cannot be. */
export function refusal(...args: string[]): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(programPath('dispatchbench-migrate'), args, { encoding: 'utf8' });
  return { status, stderr };
}

export const isHere = (codec: string): string | undefined =>
  codecsOf({ pages: 'zeros', bytes: page }, undefined, codec).columns[0]?.missing;

const sealed = (bytes: Buffer): Buffer => {
  bytes.writeBigUInt64LE(BigInt(`0x${xxh64(bytes.subarray(0, -8))}`), bytes.length - 8);
  return bytes;
};

/** A sender's first word; native/migrate/format.h. */
export function hello(memory: number, connections = 1): Buffer {
  const bytes = Buffer.alloc(40);
  bytes.write('dbHello1');
  bytes.writeBigUInt64LE(7n, 8);
  bytes.writeBigUInt64LE(BigInt(memory), 16);
  bytes.writeUInt32LE(connections, 28);
  return sealed(bytes);
}

/** A receiver's first word, whose memory is zeros. */
export function greeting(): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.write('dbG1');
  bytes.writeBigUInt64LE(BigInt(`0x${xxh64(Buffer.alloc(0))}`), 8);
  return sealed(bytes);
}

export interface FrameFields {
  codec?: number;
  block?: number;
  raw?: number;
  packed?: number;
  base: string;
  digest: string;
  /** of pages by their place: 1 zero, 2 plain, 3 changed */
  kinds: Record<number, number>;
  body: Buffer;
}

/** A frame whose checksums are right, whatever else it says. */
export function frame({ body, base, digest, kinds, ...fields }: FrameFields): Buffer {
  const head = Buffer.alloc(88);
  head.write('dbF1');
  head.writeUInt8(fields.codec ?? 0, 5);
  head.writeUInt32LE(fields.block ?? 0, 8);
  head.writeUInt32LE(fields.raw ?? body.length, 12);
  head.writeUInt32LE(fields.packed ?? body.length, 16);
  for (const [at, text] of [
    [24, base],
    [32, digest],
    [40, xxh64(body)],
  ] as const)
    head.writeBigUInt64LE(BigInt(`0x${text}`), at);
  for (const [place, kind] of Object.entries(kinds)) {
    const index = Number(place);
    head[48 + (index >> 2)]! |= kind << ((index % 4) * 2);
  }
  return Buffer.concat([sealed(head), body]);
}

/** zstd (RFC 8878) of so many bytes that are all the same, by hand: a frame of blocks that say "again". */
export function zstdOfOne(byte: number, bytes: number): Buffer {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0]);
  head.writeUInt32LE(bytes, 5);
  const most = 128 << 10;
  const blocks = Array.from({ length: Math.ceil(bytes / most) }, (_, at, last = (at + 1) * most >= bytes) => {
    const size = Math.min(most, bytes - at * most);
    const word = (size << 3) | (1 << 1) | (last ? 1 : 0);
    return Buffer.from([word & 255, (word >> 8) & 255, word >> 16, byte]);
  });
  return Buffer.concat([head, ...blocks]);
}

/** Sends bytes to a port; what comes back is read and forgotten. */
export function send(port: number, ...parts: Buffer[]): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  socket.write(Buffer.concat(parts));
  return socket;
}

/** Hands connections on, and lets `cut` decide after each part whether they end there, without a word. */
export const between =
  (port: number, cut: (there: number, back: Buffer) => boolean) =>
  (near: Socket): void => {
    const far = connect(port, '127.0.0.1');
    let there = 0;
    const both = () => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', both).on('close', both);
    near.on('data', (part) => {
      there += part.length;
      far.write(part);
      if (cut(there, Buffer.alloc(0))) both();
    });
    far.on('data', (part) => {
      if (cut(there, part)) return;
      near.write(part);
    });
  };
