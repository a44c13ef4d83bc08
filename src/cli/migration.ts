/** What `dispatchbench migrate` measures: who moves what, over which link, and what of each is told. */
import type { BackendName } from '../contract/common.js';
import { type MigrationCodec, type PageSet, type QemuWay, qemuWays } from '../contract/migrate.js';
import { writtenRange } from '../hosts/writing-guest.js';
import type { MemorySpec } from '../programs/migrate.js';
import { moveByQemu, moveMemory, type Over, type OwnMoved, type QemuMoved } from '../stage/migrate.js';
import { type GuestMoved, moveGuest } from '../stage/move-guest.js';

type Moved = OwnMoved | QemuMoved | GuestMoved;

/** Where nobody says how much: bytes of a page set, and of a guest, whose kernel takes a third of it. */
const pageSetBytes = 64 << 20;
const guestBytes = 128 << 20;

export interface Row {
  pages: string;
  /** Mbit/s; 0: none */
  rate: number;
  way: string;
  peer: boolean;
  measure(): Promise<Moved>;
  measured: Moved[];
}

export interface Figures {
  wireMb: number;
  memoryMb: number;
  seconds: number;
  /** null: that of QEMU is its guest's as well */
  cpuS: number | null;
  /** of memory, by CPU time */
  packMbS: number | null;
  unpackMbS: number | null;
  furtherKb: number | null;
  downMs: number | null;
  /** null: it was never still */
  exact: boolean | null;
}

export function figures(one: Moved): Figures {
  if ('ours' in one) {
    const { ours, wallNs, downNs, carried, memory, exact } = one;
    const moved = {
      wireMb: carried.there / 1e6,
      memoryMb: memory / 1e6,
      seconds: wallNs / 1e9,
      downMs: downNs / 1e6,
      exact,
    };
    const nothing = { cpuS: null, packMbS: null, unpackMbS: null, furtherKb: null };
    return ours ? { ...figures({ ...ours, carried }), ...moved } : { ...nothing, ...moved };
  }
  if ('qemu' in one) {
    const { qemu, wallNs, downNs, carried, memory, exact } = one;
    return {
      wireMb: carried.there / 1e6,
      memoryMb: memory / 1e6,
      seconds: wallNs / 1e9,
      cpuS: qemu.cpuUs / 1e6,
      packMbS: null,
      unpackMbS: null,
      furtherKb: null,
      downMs: downNs === null ? null : downNs / 1e6,
      exact,
    };
  }
  const { sender, receiver, carried } = one;
  const [, ...further] = sender.passes;
  const raw = sum(sender.passes.map(({ rawBytes }) => rawBytes));
  const rate = (bytes: number, ns: number) => (ns === 0 ? null : bytes / 1e6 / (ns / 1e9));
  return {
    wireMb: carried.there / 1e6,
    memoryMb: sender.memory / 1e6,
    seconds: sender.wallNs / 1e9,
    cpuS: (sender.cpu.userUs + sender.cpu.systemUs) / 1e6,
    packMbS: rate(raw, sender.packNs),
    unpackMbS: rate(receiver.unpackedBytes, receiver.unpackNs),
    furtherKb: further.length === 0 ? null : sum(further.map(({ wireBytes }) => wireBytes)) / 1e3,
    downMs: sender.downtimeNs === undefined ? null : sender.downtimeNs / 1e6,
    exact: sender.digest === receiver.digest,
  };
}

export const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
const qemu = 'qemu';
export const peerNames = qemuWays.map((way) => `${qemu}-${way}`);

export interface Asked {
  pages: string[];
  size?: number | undefined;
  file?: string | undefined;
  guest?: boolean | undefined;
  seed: number;
  codec: string[];
  level?: number | undefined;
  rate: number[];
  connections: number;
  workers: number;
  dirty?: number | undefined;
  passes?: number | undefined;
  dirtyRate?: number | undefined;
  downtime: number;
  backend: BackendName;
  peer?: string[] | undefined;
  patience: number;
}

export function memories({
  file,
  pages,
  size = pageSetBytes,
  seed,
}: Pick<Asked, 'file' | 'pages' | 'size' | 'seed'>) {
  if (file !== undefined) return [{ name: 'file', memory: { file } as MemorySpec }];
  return pages.map((name) => ({
    name,
    memory: { pages: name as PageSet, bytes: size, seed } as MemorySpec,
  }));
}

/** What is moved: its name, and how each of the two moves it. */
interface Subject {
  name: string;
  own(codec: MigrationCodec, over: Over): Promise<Moved>;
  theirs(way: QemuWay, over: Over): Promise<Moved>;
}

function subjects(asked: Asked): Subject[] {
  const { workers, dirty, dirtyRate, backend, guest, peer = [] } = asked;
  const ms = (ns: number) => Math.max(1, Math.round(ns / 1e6));
  const downtimeMs = ms(asked.downtime);
  const level = (codec: MigrationCodec) => (codec === 'none' || codec === 'auto' ? undefined : asked.level);
  if (guest) {
    const common = { bytes: asked.size ?? guestBytes, pages: dirtyRate ?? 0, downtimeMs };
    return [
      {
        name: 'guest',
        own: (codec, over) =>
          moveGuest({ ...common, ...over, by: { codec, level: level(codec), workers, backend } }),
        theirs: (way, over) => moveGuest({ ...common, ...over, by: { qemu: way } }),
      },
    ];
  }
  const passes = asked.passes ?? (dirty === undefined ? undefined : 2);
  // Where QEMU's guest writes as well, both write into a range of one size.
  const dirtyWithin =
    dirtyRate !== undefined && peer.length > 0 ? writtenRange(asked.size ?? pageSetBytes).bytes : undefined;
  const times = { patienceMs: ms(asked.patience), downtimeMs };
  const common = { workers, dirty, dirtyRate, dirtyWithin, backend, passes, ...times };
  return memories(asked).map(({ name, memory }) => ({
    name,
    own: (codec, over) => moveMemory({ ...common, ...over, memory, codec, level: level(codec) }),
    theirs: (way, over) => moveByQemu({ ...over, memory, dirtyRate, downtimeMs, way }),
  }));
}

export function rowsOf(asked: Asked): Row[] {
  const { connections, peer = [] } = asked;
  return subjects(asked).flatMap(({ name, own, theirs }) =>
    asked.rate.flatMap((rate) => {
      const over = { connections, bitsPerSecond: rate === 0 ? null : rate * 1e6 };
      const row = (way: string, byPeer: boolean, measure: () => Promise<Moved>): Row => ({
        ...{ pages: name, rate, way, peer: byPeer },
        ...{ measure, measured: [] },
      });
      return [
        ...asked.codec.map((codec) => row(codec, false, () => own(codec as MigrationCodec, over))),
        ...peer.map((way) => row(way, true, () => theirs(way.slice(qemu.length + 1) as QemuWay, over))),
      ];
    }),
  );
}
