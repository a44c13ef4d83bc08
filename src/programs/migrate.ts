/** How the two ends of a migration of memory are started, wherever they run, and what stands between them. */
import { z } from 'zod';
import { type BackendName, count } from '../contract/common.js';
import { type MigrationCodec, type PageSet, type QemuWay, qemuWays } from '../contract/migrate.js';
import type { Program } from '../hosts/program.js';
import { type HostPort, targetText } from '../options.js';
import { clientProgram, flag } from './client.js';

/** A file of whole pages, or a page set by its seed. */
export type MemorySpec = { file: string } | { pages: PageSet; bytes: number; seed?: number | undefined };

interface EndSpec {
  backend: BackendName;
  /** a connection on which nothing moves for so many milliseconds ends it */
  patienceMs?: number | undefined;
  cpus?: readonly number[] | undefined;
  /** numeric address to listen at, or to connect to */
  host?: string | undefined;
}

export interface MemoryReceiverSpec extends EndSpec {
  port?: number | undefined;
  /** a file that takes this name when all of it is there; left out: memory of its own */
  into?: string | undefined;
  /** what is not finished stays beside it, and the next receiver begins with it */
  keep?: boolean | undefined;
  /** bytes of memory that it takes at most */
  most?: number | undefined;
}

export interface MemorySenderSpec extends EndSpec {
  port: number;
  memory: MemorySpec;
  codec: MigrationCodec;
  level?: number | undefined;
  connections?: number | undefined;
  /** threads that compress */
  workers?: number | undefined;
  /** of a lost connection to stand again */
  tries?: number | undefined;
  passes?: number | undefined;
  /** millionths of the words of 8 bytes that are changed before each further pass */
  dirty?: number | undefined;
  /** pages a second that are written to while memory is moved */
  dirtyRate?: number | undefined;
  /** among the first so many bytes; left out: anywhere */
  dirtyWithin?: number | undefined;
  /** port on loopback of who writes into the file, and stops when asked */
  writer?: number | undefined;
  /** writing is stopped when what is left takes no longer */
  downtimeMs?: number | undefined;
}

const native = 'dispatchbench-migrate';

const endArgs = (role: 'sender' | 'receiver', spec: EndSpec, port: number | undefined) => [
  ...flag('role', role),
  ...flag('backend', spec.backend),
  ...flag('host', spec.host),
  ...flag('port', port),
  ...flag('patience', spec.patienceMs),
  ...flag('cpu', spec.cpus?.length ? spec.cpus.join(',') : undefined),
  '--control',
];

const memoryArgs = (memory: MemorySpec) =>
  'file' in memory
    ? flag('file', memory.file)
    : [...flag('pages', memory.pages), ...flag('bytes', memory.bytes), ...flag('seed', memory.seed)];

export const memoryReceiver = (spec: MemoryReceiverSpec): Program => ({
  native,
  args: [
    ...endArgs('receiver', spec, spec.port),
    ...flag('into', spec.into),
    ...(spec.keep ? ['--keep'] : []),
    ...flag('most', spec.most),
  ],
});

export const memorySender = (spec: MemorySenderSpec): Program => ({
  native,
  args: [
    ...endArgs('sender', spec, spec.port),
    ...memoryArgs(spec.memory),
    ...flag('codec', spec.codec),
    ...flag('level', spec.level),
    ...flag('connections', spec.connections),
    ...flag('workers', spec.workers),
    ...flag('tries', spec.tries),
    ...flag('passes', spec.passes),
    ...flag('dirty', spec.dirty),
    ...flag('dirty-rate', spec.dirtyRate),
    ...flag('dirty-within', spec.dirtyWithin),
    ...flag('writer', spec.writer),
    ...flag('downtime', spec.downtimeMs),
  ],
});

/** Compresses memory by every codec, or by one. @param dirty millionths of the words that a second pass is about */
export const codecsProgram = (memory: MemorySpec, dirty?: number, codec?: string): Program => ({
  native,
  args: [...flag('role', 'codecs'), ...memoryArgs(memory), ...flag('dirty', dirty), ...flag('codec', codec)],
});

/** Says what memory is; with `into` it puts a page set there. */
export const pagesProgram = (memory: MemorySpec, into?: string): Program => ({
  native,
  args: [...flag('role', 'pages'), ...memoryArgs(memory), ...flag('into', into)],
});

/** Between a sender and a receiver, or several: counts bytes, and carries no more of all of them to the receivers than its rate allows. */
export const pacedRelay = (to: readonly HostPort[], listen: string, bitsPerSecond: number | null): Program =>
  clientProgram('paced-relay', [
    ...flag('to', to.map(targetText).join(',')),
    ...flag('listen', listen),
    ...flag('rate', bitsPerSecond ?? undefined),
  ]);

export interface GuestSpec {
  /** that is its memory */
  file: string;
  bytes: number;
  way: QemuWay;
  connections: number;
  /** it runs this; left out: it never runs */
  firmware?: string | undefined;
  /** it is stopped when what is left takes no longer; left out: QEMU's own 300 */
  downtimeMs?: number | undefined;
  /** where it sends its memory; left out: it waits for that of another, at `listen` */
  to?: HostPort | undefined;
  listen?: string | undefined;
}

/** A guest of QEMU whose memory is a file. */
export const guestProgram = ({ to, ...spec }: GuestSpec): Program =>
  clientProgram('guest-memory', [
    ...flag('file', spec.file),
    ...flag('bytes', spec.bytes),
    ...flag('way', spec.way),
    ...flag('connections', spec.connections),
    ...flag('firmware', spec.firmware),
    ...flag('downtime', spec.downtimeMs),
    ...flag('to', to && targetText(to)),
    ...flag('listen', spec.listen),
  ]);

/** One end of the move of a guest that runs. Paths are those of the machine. */
export const runningGuestSpec = z.strictObject({
  /** QEMU's way; null: others move the memory */
  way: z.enum(qemuWays).nullable(),
  /** that is its memory */
  file: z.string(),
  bytes: count,
  kernel: z.string(),
  image: z.string(),
  /** for what only this end needs */
  folder: z.string(),
  /** a second that the guest writes */
  pages: count,
  connections: count,
  downtimeMs: count,
  /** for it to boot, and to answer */
  bootMs: count,
  /** where it is sent; left out: it comes from another one, and waits at `listen` */
  to: z.object({ host: z.string(), port: count }).optional(),
  listen: z.string(),
});
export type RunningGuestSpec = z.infer<typeof runningGuestSpec>;

export const runningGuest = (spec: RunningGuestSpec): Program =>
  clientProgram('running-guest', [JSON.stringify(spec)]);
