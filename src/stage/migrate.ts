/**
 * Memory that is moved from one process to another, by ours or by QEMU, through a relay that counts bytes and has a rate. It is the
 * same relay for both, so that neither is counted by its own word.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackendName } from '../contract/common.js';
import {
  type CodecsLine,
  codecsLine,
  type GuestResult,
  guestArrived,
  guestHello,
  guestResult,
  type MigrateReceived,
  type MigrateSent,
  type MigrationCodec,
  migrateHello,
  migrateResult,
  pagesLine,
  type QemuWay,
  relayCarried,
  relayListening,
} from '../contract/migrate.js';
import { validated } from '../contract/validated.js';
import { Child } from '../hosts/child.js';
import type { HostProcess } from '../hosts/host.js';
import { commandOf, type Program } from '../hosts/program.js';
import { qemuProgram } from '../hosts/qemu.js';
import { whereIs } from '../hosts/where-is.js';
import { firmware as writingFirmware } from '../hosts/writing-guest.js';
import type { HostPort } from '../options.js';
import {
  codecsProgram,
  guestProgram,
  type MemoryReceiverSpec,
  type MemorySpec,
  memoryReceiver,
  memorySender,
  pacedRelay,
  pagesProgram,
} from '../programs/migrate.js';
import { answerMs, graceMs } from './patience.js';

/** Beside what the rate of the link makes of it nothing takes longer, milliseconds. */
const longestMs = 120_000;
export const longest = (bytes: number, bitsPerSecond: number | null): number =>
  longestMs + (bitsPerSecond === null ? 0 : (2 * 8e3 * bytes) / bitsPerSecond);

/** Starts a program at one of the two ends. */
export type StartAt = (end: 'receiver' | 'sender', name: string, program: Program) => HostProcess;

export interface Over {
  connections: number;
  /** of the relay, to the receiver; null: as fast as it is */
  bitsPerSecond: number | null;
}

interface Common extends Over {
  memory: MemorySpec;
}

export interface OwnMigration extends Common {
  backend: BackendName;
  codec: MigrationCodec;
  level?: number | undefined;
  workers: number;
  passes?: number | undefined;
  dirty?: number | undefined;
  dirtyRate?: number | undefined;
  dirtyWithin?: number | undefined;
  downtimeMs?: number | undefined;
  patienceMs?: number | undefined;
}

/** What the relay carried: bytes as programs wrote them, to the receiver and back. */
export interface Carried {
  there: number;
  back: number;
}

export interface OwnMoved {
  carried: Carried;
  sender: MigrateSent;
  receiver: MigrateReceived;
}

export interface QemuMoved {
  carried: Carried;
  version: string;
  qemu: GuestResult;
  /** from when it was asked for until the other guest had all of it */
  wallNs: number;
  /** from when the guest was stopped until the other one had all of it; null: it never ran */
  downNs: number | null;
  /** bytes of memory; both ends have the same ones */
  memory: number;
  exact: boolean;
}

/** Of this machine, without a trial around it. */
export async function here<T>(work: (start: StartAt) => Promise<T>): Promise<T> {
  const children: Child[] = [];
  const start: StartAt = (_end, name, program) => {
    const child = new Child(name, commandOf(program));
    children.push(child);
    return child;
  };
  try {
    return await work(start);
  } finally {
    for (const child of children.reverse()) await child.end(graceMs);
  }
}

export const loopback = '127.0.0.1';

/** @param ports of those that it leads to */
export async function relayTo(
  start: StartAt,
  host: string,
  to: readonly number[],
  bitsPerSecond: number | null,
) {
  const targets = to.map((port): HostPort => ({ host, port }));
  const process = start('receiver', 'the relay', pacedRelay(targets, host, bitsPerSecond));
  const { ports } = validated(
    relayListening,
    await process.expect('listening', answerMs),
    'what the relay says',
  );
  return {
    /** where it listens for each of them */
    ports,
    async carried(): Promise<Carried> {
      process.send('report');
      return validated(relayCarried, await process.expect('carried', answerMs), 'what the relay counted');
    },
  };
}

/** @returns it and its port */
export async function startReceiver(start: StartAt, spec: MemoryReceiverSpec) {
  const receiver = start('receiver', 'the receiver', memoryReceiver(spec));
  const hello = validated(
    migrateHello,
    await receiver.expect('hello', answerMs),
    'what the receiver says of itself',
  );
  if (hello.role !== 'receiver') throw new Error('the receiver says that it is a sender');
  return { receiver, port: hello.port };
}

/** What both ends measured. @throws Error in one sentence when not all of it is there */
export async function bothMoved(
  sender: HostProcess,
  receiver: HostProcess,
  lastsMs: number,
): Promise<Pick<OwnMoved, 'sender' | 'receiver'>> {
  const sent = validated(migrateResult, await sender.expect('result', lastsMs), 'what the sender measured');
  // A sender that failed leaves a receiver that may wait for long: its own words are the reason.
  if (sent.fault !== null) throw new Error(sent.fault);
  const got = validated(
    migrateResult,
    await receiver.expect('result', answerMs),
    'what the receiver measured',
  );
  if (got.fault !== null) throw new Error(got.fault);
  if (sent.role !== 'sender' || got.role !== 'receiver') throw new Error('sender and receiver are exchanged');
  if (sent.digest === null || sent.digest !== got.digest)
    throw new Error('sender and receiver do not have the same memory');
  return { sender: sent, receiver: got };
}

/** @throws Error in one sentence when it cannot be measured, or not all of it is there */
export async function moveMemory(spec: OwnMigration, start?: StartAt, address = loopback): Promise<OwnMoved> {
  if (!start) return here((started) => moveMemory(spec, started, address));
  const { backend, patienceMs, bitsPerSecond } = spec;
  const most = 'file' in spec.memory ? 2 ** 34 : spec.memory.bytes;
  const { receiver, port } = await startReceiver(start, { backend, patienceMs, host: address, most });
  const relay = await relayTo(start, address, [port], bitsPerSecond);
  const to = { host: address, port: relay.ports[0]! };
  const sender = start('sender', 'the sender', memorySender({ ...spec, ...to }));
  const lasts = longest(most * (spec.passes ?? 1), bitsPerSecond);
  const moved = await bothMoved(sender, receiver, lasts);
  return { carried: await relay.carried(), ...moved };
}

/** Why QEMU cannot be had here, and how it would be; null: it can. */
export function qemuMissing(): string | null {
  for (const [program, of] of [
    [qemuProgram, 'qemu-system-x86'],
    ['setpriv', 'util-linux'],
  ] as const) {
    if (!whereIs(program)) return `there is no program ${program} (Debian: apt-get install ${of})`;
  }
  return null;
}

async function lineOf<T>(
  name: string,
  program: Program,
  event: string,
  parse: (line: unknown) => T,
): Promise<T> {
  return here(async (start) => parse(await start('sender', name, program).expect(event, longestMs)));
}

export const pagesOf = (memory: MemorySpec, into?: string) =>
  lineOf('the program that makes pages', pagesProgram(memory, into), 'pages', (line) =>
    validated(pagesLine, line, 'what the program says of its pages'),
  );

export const compareCodecs = (memory: MemorySpec, dirty?: number): Promise<CodecsLine> =>
  lineOf('the program that compresses', codecsProgram(memory, dirty), 'codecs', (line) =>
    validated(codecsLine, line, 'what the codecs came to'),
  );

/**
 * The same by QEMU: the memory of a guest that was never started, by a file.
 * @throws Error in one sentence when it cannot be measured, or not all of it is there
 */
export async function moveByQemu(
  spec: Common & {
    way: QemuWay;
    /** pages a second that the guest writes to while it runs; left out: it never runs */
    dirtyRate?: number | undefined;
    downtimeMs?: number | undefined;
  },
  start?: StartAt,
  address = loopback,
): Promise<QemuMoved> {
  if (!start) return here((started) => moveByQemu(spec, started, address));
  const { memory, connections, bitsPerSecond, way, dirtyRate, downtimeMs } = spec;
  const missing = qemuMissing();
  if (missing) throw new Error(`not available here: ${missing}`);
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-memory-'));
  try {
    const [from, into] = [join(folder, 'from'), join(folder, 'into')];
    const before = 'file' in memory ? await pagesOf(memory) : await pagesOf(memory, from);
    const file = 'file' in memory ? memory.file : from;
    const firmware = dirtyRate === undefined ? undefined : join(folder, 'firmware');
    if (firmware !== undefined && dirtyRate !== undefined) {
      if ('file' in memory) throw new Error('a guest that writes would write into that file: name page sets');
      writeFileSync(firmware, writingFirmware(dirtyRate, before.memory));
    }
    const common = { bytes: before.memory, way, connections, firmware, downtimeMs };
    const receiver = start(
      'receiver',
      'the guest that is to get the memory',
      guestProgram({ ...common, file: into, listen: address }),
    );
    const { port, version } = validated(
      guestHello,
      await receiver.expect('guest', answerMs),
      'what the guest says',
    );
    if (port === null) throw new Error('the guest waits nowhere');
    const relay = await relayTo(start, address, [port], bitsPerSecond);
    const to = { host: address, port: relay.ports[0]! };
    const sender = start('sender', 'the guest whose memory is moved', guestProgram({ ...common, file, to }));
    const lasts = longest(before.memory, bitsPerSecond);
    const qemu = validated(guestResult, await sender.expect('migrated', lasts), 'what QEMU measured');
    if (qemu.fault !== null) throw new Error(qemu.fault);
    // The last bytes may be anywhere between the two.
    const arrived = validated(guestArrived, await receiver.expect('arrived', lasts), 'what QEMU got');
    if (arrived.fault !== null) throw new Error(arrived.fault);
    const wallNs = arrived.monotonicNs - qemu.monotonicNs;
    const downNs = qemu.stoppedNs === null ? null : arrived.monotonicNs - qemu.stoppedNs;
    const carried = await relay.carried();
    const [now, got] = [await pagesOf({ file }), await pagesOf({ file: into })];
    return {
      carried,
      version,
      qemu,
      wallNs,
      downNs,
      memory: before.memory,
      exact: now.digest === got.digest,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
