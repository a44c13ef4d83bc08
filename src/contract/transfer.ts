/**
 * The lines of dispatchbench-transfer, which sends bulk data on several streams at once or receives it: `hello` once, and
 * `result` when all streams ended or one failed.
 */
import { z } from 'zod';
import { backendName, count } from './common.js';
import { capabilities, counters } from './server.js';

/**
 * How bytes come to the socket: copied out of memory, by the kernel out of a file in memory (sendfile), or read where they
 * lie (MSG_ZEROCOPY).
 */
export const transferWays = ['copy', 'sendfile', 'zerocopy'] as const;
export const transferWay = z.enum(transferWays);
export type TransferWay = z.infer<typeof transferWay>;

/** Most streams of one transfer, most bytes that one call is given, and most memory that is sent from. */
export const mostStreams = 1024;
export const mostChunk = 64 << 20;
export const mostMemory = 1 << 30;

const hello = z.object({
  event: z.literal('hello'),
  backend: backendName,
  capabilities,
  pid: count,
  /** CPUs it may run on */
  cpuAffinity: z.array(count),
  kernel: z.string(),
  compiler: z.string(),
  compilerFlags: z.string(),
  /** digest (sha256, hex, first 16 characters) of the program */
  digest: z.string(),
});

export const transferHello = z.discriminatedUnion('role', [
  hello.extend({ role: z.literal('sender') }),
  hello.extend({ role: z.literal('receiver'), address: z.string(), port: count }),
]);
export type TransferHello = z.infer<typeof transferHello>;

const stream = z.object({
  bytes: count,
  /** XXH64 of them, hex; null without checksums */
  digest: z.string().nullable(),
  /** what was sent is what came: number of bytes, and checksum where there is one */
  whole: z.boolean(),
});

const result = z.object({
  event: z.literal('result'),
  /** one sentence on why it is not whole; null where every stream is */
  fault: z.string().nullable(),
  /** congestion control of the sockets, as the system says; the sender's decides. Empty where the system does not tell */
  congestion: z.string(),
  /** bytes that one call is given at most */
  chunk: count,
  /** a checksum for each stream, over the bytes as they were handed to the system and as they came from it */
  checked: z.boolean(),
  /** of all streams */
  bytes: count,
  /** from the first byte of data to the last stream's end, which at the sender is the receiver's answer */
  wallNs: count,
  /** of the process over the same time, checksums included */
  cpu: z.object({ userUs: z.number(), systemUs: z.number() }),
  contextSwitches: z.object({ voluntary: count, involuntary: count }),
  peakRssBytes: count,
  calls: z.object({
    /** calls that send data, and that receive it */
    sends: count,
    receives: count,
    /** those of both that found no room, or nothing */
    blocked: count,
    /** readings of the queue that tells of sends without a copy */
    completions: count,
  }),
  /** the poller's over the same time */
  counters,
});

export const transferResult = z.discriminatedUnion('role', [
  result.extend({
    role: z.literal('sender'),
    way: transferWay,
    /** bytes that were sent round and round */
    memory: count,
    /** sends without a copy; left out in the other ways */
    zeroCopy: z
      .object({
        sends: count,
        /** of which the kernel told that their memory is free again */
        completed: count,
        /** of those: copied after all, as on loopback */
        copied: count,
        /** sent as copies, for want of memory for more notes of completion */
        fellBack: count,
      })
      .optional(),
    streams: z.array(
      stream.extend({
        /** from connect(2) until the connection stood */
        connectNs: count,
        /** segments sent again; left out where the system does not tell */
        retransmits: count.optional(),
      }),
    ),
  }),
  result.extend({
    role: z.literal('receiver'),
    /** connections that were no stream of the transfer */
    strangers: count,
    streams: z.array(stream),
  }),
]);
export type TransferResult = z.infer<typeof transferResult>;
export type SenderResult = Extract<TransferResult, { role: 'sender' }>;
export type ReceiverResult = Extract<TransferResult, { role: 'receiver' }>;
