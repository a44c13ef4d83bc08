/**
 * A Linux guest that is moved to another machine while it runs: its memory by ours, the rest of the machine by QEMU's migration;
 * or all of it by QEMU, through the same relay. It counts on its serial port, and answers there for what it has in its memory.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BackendName } from '../contract/common.js';
import {
  type GuestResult,
  guestAlive,
  guestArrived,
  guestHello,
  guestLeft,
  guestResult,
  type MigrationCodec,
  type QemuWay,
} from '../contract/migrate.js';
import { validated } from '../contract/validated.js';
import type { HostProcess } from '../hosts/host.js';
import { writeMovable } from '../hosts/movable-guest.js';
import { partsMissing } from '../hosts/qemu-linux.js';
import { monotonicNs } from '../process.js';
import { memorySender, type RunningGuestSpec, runningGuest } from '../programs/migrate.js';
import {
  bothMoved,
  type Carried,
  here,
  longest,
  loopback,
  type Over,
  type OwnMoved,
  pagesOf,
  qemuMissing,
  relayTo,
  type StartAt,
  startReceiver,
} from './migrate.js';
import { answerMs } from './patience.js';

/** An emulated guest on a machine that is busy, milliseconds. */
const bootMs = 60_000;

/** Why no guest can be moved here, and how it could; null: one can. */
export const guestMissing = (): string | null => partsMissing() ?? qemuMissing();

export interface GuestMove extends Over {
  /** of its memory, whole MiB */
  bytes: number;
  /** a second that it writes */
  pages: number;
  /** it is stopped when what is left takes no longer */
  downtimeMs: number;
  by:
    | { codec: MigrationCodec; level?: number | undefined; workers: number; backend: BackendName }
    | { qemu: QemuWay };
}

export interface GuestMoved {
  carried: Carried;
  /** of QEMU */
  version: string;
  /** what QEMU says of what it moved: all, or all but the memory */
  qemu: GuestResult;
  /** ours; null: QEMU moved the memory */
  ours: Pick<OwnMoved, 'sender' | 'receiver'> | null;
  /** from when it was asked for until the guest counted on the other machine */
  wallNs: number;
  /** from when it was stopped until then */
  downNs: number;
  /** bytes */
  memory: number;
  /** both machines had the same memory when the guest went on; null: that of QEMU's was never still */
  exact: boolean | null;
  /** what it counted last before, and first afterwards */
  beats: { before: number; after: number };
}

async function helloOf(guest: HostProcess) {
  return validated(guestHello, await guest.expect('guest', bootMs), 'what the guest says');
}

/** @throws Error in one sentence when it cannot be moved, or is not the same afterwards */
export async function moveGuest(spec: GuestMove, start?: StartAt): Promise<GuestMoved> {
  if (!start) return here((started) => moveGuest(spec, started));
  const missing = guestMissing();
  if (missing) throw new Error(`not available here: ${missing}`);
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-guest-'));
  try {
    return await moveWithin(folder, spec, start);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function moveWithin(folder: string, spec: GuestMove, start: StartAt): Promise<GuestMoved> {
  const { bytes, pages, connections, bitsPerSecond, downtimeMs, by } = spec;
  const way = 'qemu' in by ? by.qemu : null;
  const image = join(folder, 'image');
  const kernel = writeMovable(image);
  const endAt = (end: 'from' | 'into', file: string): RunningGuestSpec => {
    const own = join(folder, end);
    mkdirSync(own);
    const common = { way, bytes, kernel, image, pages, connections, downtimeMs, bootMs, listen: loopback };
    return { ...common, folder: own, file: join(own, file) };
  };
  // QEMU has the file before there is a sender: what our receiver is to finish.
  const there = endAt('into', way === null ? 'memory.partial' : 'memory');
  const target = start('receiver', 'the machine that the guest comes to', runningGuest(there));
  const { port, version } = await helloOf(target);
  if (port === null) throw new Error('the machine waits nowhere');
  const own =
    'codec' in by
      ? await startReceiver(start, {
          backend: by.backend,
          host: loopback,
          into: join(there.folder, 'memory'),
          keep: true,
          most: bytes,
        })
      : null;
  const relay = await relayTo(start, loopback, own ? [port, own.port] : [port], bitsPerSecond);
  const from = { ...endAt('from', 'memory'), to: { host: loopback, port: relay.ports[0]! } };
  const source = start('sender', 'the machine that the guest leaves', runningGuest(from));
  const { port: writer } = await helloOf(source);

  const lasts = longest(2 * bytes, bitsPerSecond);
  let beganNs = monotonicNs();
  let ours: GuestMoved['ours'] = null;
  if (own && 'codec' in by) {
    const over = { host: loopback, port: relay.ports[1]!, connections, downtimeMs };
    const memory = { file: from.file };
    const asked = { ...by, ...over, memory, writer: writer ?? undefined };
    ours = await bothMoved(start('sender', 'the sender', memorySender(asked)), own.receiver, lasts);
    target.send('go');
  } else source.send('move');
  const qemu = validated(guestResult, await source.expect('migrated', lasts), 'what QEMU measured');
  if (qemu.fault !== null) throw new Error(qemu.fault);
  if (qemu.stoppedNs === null) throw new Error('the guest was never stopped');
  if (!ours) beganNs = qemu.monotonicNs;
  const arrived = validated(guestArrived, await target.expect('arrived', lasts), 'what QEMU got');
  if (arrived.fault !== null) throw new Error(arrived.fault);
  const left = validated(guestLeft, await source.expect('left', answerMs), 'what the guest said before');
  const alive = validated(guestAlive, await target.expect('alive', bootMs), 'what the guest said afterwards');
  if (alive.word !== left.word || alive.boot !== left.boot || alive.beat <= left.beat)
    throw new Error('the guest that came is not the one that left: it has other things in its memory');
  return {
    carried: await relay.carried(),
    version,
    qemu,
    ours,
    wallNs: alive.monotonicNs - beganNs,
    downNs: alive.monotonicNs - qemu.stoppedNs,
    memory: bytes,
    // The machine that it left is still: it has what it had when it was stopped.
    exact: ours && (await pagesOf({ file: from.file })).digest === ours.sender.digest,
    beats: { before: left.beat, after: alive.beat },
  };
}
