/**
 * Memory that is moved from one process to another: the lines of dispatchbench-migrate (`hello` once, `result` when all is there
 * or cannot be; `codecs` and `pages` of its roles that move nothing), of the relay between the two ends, and of a guest of
 * QEMU whose memory is moved by QEMU itself.
 */
import { z } from 'zod';
import { count } from './common.js';
import { counters } from './server.js';
import { transferHello } from './transfer.js';

export const pageSets = ['zeros', 'text', 'vm', 'mixed', 'random'] as const;
export const pageSet = z.enum(pageSets);
export type PageSet = z.infer<typeof pageSet>;

/** How memory travels; `zstd-prefix`: by zstd that refers to what was there before; `auto`: codec and level by what the link carries. */
export const migrationCodecs = ['none', 'lz4', 'zstd', 'zstd-prefix', 'auto'] as const;
export const migrationCodec = z.enum(migrationCodecs);
export type MigrationCodec = z.infer<typeof migrationCodec>;

/** QEMU's own ways to move the memory of a guest. */
export const qemuWays = ['plain', 'multifd', 'multifd-zlib', 'multifd-zstd', 'xbzrle'] as const;
export type QemuWay = (typeof qemuWays)[number];

export const mostMigrationConnections = 64;
export const mostMigrationWorkers = 64;

/** XXH64, hexadecimal */
const digest = z.string().regex(/^[0-9a-f]{16}$/);

/** The two ends introduce themselves as those of any bulk transfer do. */
export const migrateHello = transferHello;

/** One pass over memory. */
const pass = z.object({
  /** by what became of them since the receiver was last told: nothing, zeros, other bytes, some other bytes */
  pages: z.object({ same: count, zero: count, plain: count, changed: count }),
  /** blocks of which there was something to tell */
  frames: count,
  /** what they have to say, before and after it was compressed; the latter with heads */
  rawBytes: count,
  wireBytes: count,
  /** until the receiver had answered for all of them */
  wallNs: count,
});

const result = z.object({
  event: z.literal('result'),
  /** one sentence on why not all of it is there; null where it is */
  fault: z.string().nullable(),
  /** the receiver has the memory, byte for byte */
  whole: z.boolean(),
  /** of the whole memory, which each end calculated of its own; null where it did not come to that */
  digest: digest.nullable(),
  /** bytes */
  memory: count,
  /** bytes that the system took, and gave, heads and frames that were sent again included */
  sentBytes: count,
  receivedBytes: count,
  /** connections that were cut */
  lost: count,
  /** the sender's: from when it began to compress until the receiver's answer for the whole */
  wallNs: count,
  /** of the process over the same time, checksums included */
  cpu: z.object({ userUs: z.number(), systemUs: z.number() }),
  contextSwitches: z.object({ voluntary: count, involuntary: count }),
  peakRssBytes: count,
  /** the poller's over the same time */
  counters,
});

export const migrateResult = z.discriminatedUnion('role', [
  result.extend({
    role: z.literal('sender'),
    codec: migrationCodec,
    /** 0: the codec has none, or it was chosen by the link */
    level: count,
    connections: count,
    workers: count,
    sentAgain: count,
    /** time of the threads that make frames, and of it that of compressing */
    makeNs: count,
    packNs: count,
    passes: z.array(pass),
    /** frames by what they were made with */
    choices: z.array(z.object({ codec: z.string(), level: count, frames: count })),
    /** as `auto` measured it; left out: it never carried as much as it could */
    linkBytesPerSecond: count.optional(),
    /** where memory was written to meanwhile: how many pages, and from when nobody wrote any more until all was there */
    dirtiedPages: count.optional(),
    downtimeNs: count.optional(),
  }),
  result.extend({
    role: z.literal('receiver'),
    frames: count,
    /** frames that had come before, over a connection that was cut */
    twice: count,
    /** what came out of the codec, and how long that took of the CPU */
    unpackedBytes: count,
    unpackNs: count,
    /** connections that had nothing to do with it */
    strangers: count,
  }),
]);
export type MigrateResult = z.infer<typeof migrateResult>;
export type MigrateSent = Extract<MigrateResult, { role: 'sender' }>;
export type MigrateReceived = Extract<MigrateResult, { role: 'receiver' }>;

/** What a codec makes of memory, in pieces of so many bytes. Rates are of memory: bytes before compression, CPU time. */
const codecColumn = z.object({
  codec: z.string(),
  level: count,
  piece: count,
  /** why it is not to be had here; left out: it is */
  missing: z.string().optional(),
  version: z.string().optional(),
  /** bytes */
  packed: count.optional(),
  packNs: count.optional(),
  unpackNs: count.optional(),
  /** what came back is what went in */
  exact: z.boolean().optional(),
});
export type CodecColumn = z.infer<typeof codecColumn>;

export const codecsLine = z.object({
  event: z.literal('codecs'),
  /** of memory */
  bytes: count,
  columns: z.array(codecColumn),
  /** a second pass after so many millionths of the words were changed */
  secondPass: z
    .object({
      millionths: count,
      /** that changed */
      pages: count,
      /** bytes of xbzrle's encoding of them */
      xbzrle: count,
      /** bytes of frames, and CPU time of all that makes and takes them */
      ways: z.array(
        z.object({
          codec: z.string(),
          level: count,
          wire: count,
          makeNs: count,
          takeNs: count,
          exact: z.boolean(),
        }),
      ),
    })
    .optional(),
});
export type CodecsLine = z.infer<typeof codecsLine>;

export const pagesLine = z.object({ event: z.literal('pages'), memory: count, digest });

/** The relay between sender and receiver: where it listens for each of those that it leads to, and for every line on stdin what it carried until then. */
export const relayListening = z.object({ event: z.literal('listening'), ports: z.array(count) });
export const relayCarried = z.object({
  event: z.literal('carried'),
  connections: count,
  /** bytes to the receiver, and to the sender, as the programs wrote them */
  there: count,
  back: count,
});

export const guestHello = z.object({
  event: z.literal('guest'),
  version: z.string(),
  /** where it waits for what comes, or to be asked to stop; null: nowhere */
  port: count.nullable(),
});
/** What a guest that runs says: what it counts, and what it has in its memory alone: a word, and its kernel's number of this boot. */
const guestLife = { beat: count, word: z.string(), boot: z.string() };
/** What it said where it was stopped. */
export const guestLeft = z.object({ event: z.literal('left'), ...guestLife });
/** The first that it said where it came to, when, and what it said when it was asked. */
export const guestAlive = z.object({ event: z.literal('alive'), monotonicNs: z.number(), ...guestLife });

/** The guest that waited has the memory, or never will; its machine's monotonic clock. */
export const guestArrived = z.object({
  event: z.literal('arrived'),
  fault: z.string().nullable(),
  monotonicNs: z.number(),
});
/** What QEMU says of a migration that is over for the guest whose memory it was. */
export const guestResult = z.object({
  event: z.literal('migrated'),
  /** one sentence; null: it came to its end */
  fault: z.string().nullable(),
  /** when it was asked for, as above */
  monotonicNs: z.number(),
  /** when the guest was stopped for it, by the same clock; null: it never ran */
  stoppedNs: z.number().nullable(),
  /** QEMU's own, until the last byte was written, wherever it was then */
  totalMs: count,
  downtimeMs: count,
  setupMs: count,
  /** bytes, by its own counter, which does not know of multifd's compression */
  saidBytes: count,
  /** CPU time of the process over the same time */
  cpuUs: count,
});
export type GuestResult = z.infer<typeof guestResult>;
