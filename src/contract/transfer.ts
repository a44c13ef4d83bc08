/**
 * The lines of dispatchbench-transfer, which sends bulk data on several streams at once or receives it: `hello` once, and
 * `result` when all streams ended or one failed.
 */
import { z } from 'zod';
import { amount, backendName, count } from './common.js';
import { capabilities, counters } from './server.js';

/**
 * How bytes come to the socket: copied out of memory, by the kernel out of a file in memory (sendfile), out of that file
 * through a pipe (splice), or read where they lie (MSG_ZEROCOPY, and SEND_ZC of io_uring).
 */
export const transferWays = ['copy', 'sendfile', 'splice', 'zerocopy', 'uring-zerocopy'] as const;
export const transferWay = z.enum(transferWays);
export type TransferWay = z.infer<typeof transferWay>;

/** Real programs in the place of ours: iperf3, and iperf3 with -Z, which sends by sendfile(2). */
export const transferPeers = ['iperf3', 'iperf3-Z'] as const;
export type TransferPeer = (typeof transferPeers)[number];

/** By the shortest round trip of its connections; the limits are in native/transfer/adaptive.cc. */
export const linkClasses = ['loopback', 'datacenter', 'wan'] as const;

/** In the place of a number of streams: as many as pay, of so many that stand. */
export const adaptive = 'adaptive';
export const mostAdaptive = 64;

/** Likewise: as many in the next of several transfers as a prediction of the link's bandwidth asks for. */
export const planned = 'planned';

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
    /** calls that put data into a pipe, before others send it out of that */
    fills: count,
    /** those of both that found no room, or nothing */
    blocked: count,
    /** readings of the queue that tells of sends without a copy */
    completions: count,
    /** readings of what has arrived, to choose the number of streams */
    looks: count,
  }),
  /** the poller's over the same time */
  counters,
});

const senderResult = result.extend({
  role: z.literal('sender'),
  way: transferWay,
  /** bytes that were sent round and round */
  memory: count,
  /** how many of its streams sent, where that followed from what it brought; left out: all of them, all the time */
  adaptive: z
    .object({
      link: z.enum(linkClasses),
      /** shortest of those that the connections had seen at the beginning */
      roundTripNs: count,
      /** since the first byte of data; from then on so many */
      turns: z.array(z.object({ atNs: count, streams: count.min(1) })).min(1),
    })
    .optional(),
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
});

const receiverResult = result.extend({
  role: z.literal('receiver'),
  /** connections that were no stream of the transfer */
  strangers: count,
  streams: z.array(stream),
});

export const transferResult = z.discriminatedUnion('role', [senderResult, receiverResult]);
export type TransferResult = z.infer<typeof transferResult>;
export type SenderResult = z.infer<typeof senderResult>;
export type ReceiverResult = z.infer<typeof receiverResult>;

/** An end as a sample keeps it: what is alike in both, or told stream by stream, stands beside. */
const kept = { event: true, role: true, fault: true, streams: true } as const;

/** A transfer of ours as a sample keeps it. Every stream of it came whole. */
export const ownTransfer = z.object({
  sender: senderResult.omit(kept),
  receiver: receiverResult.omit(kept),
  /** stream by stream */
  streams: z.object({
    bytes: z.array(count),
    connectNs: z.array(count),
    /** segments sent again; null where the system does not tell */
    retransmits: z.array(count).nullable(),
  }),
});
export type OwnTransfer = z.infer<typeof ownTransfer>;

/** What a real iperf3 says of a transfer of its own. */
export const peerTransfer = z.object({
  bytes: count,
  seconds: z.number().positive(),
  /** CPU time of both, seconds, as iperf3 accounts for it */
  cpuS: z.object({ sender: amount, receiver: amount }),
  /** null where the system does not tell */
  retransmits: count.nullable(),
  congestion: z.string().nullable(),
  version: z.string(),
});
export type PeerTransfer = z.infer<typeof peerTransfer>;

/** Lines of the program that drives a real iperf3: its server listens, and what its client measured. */
export const peerListening = z.object({ event: z.literal('listening'), port: count });
export const peerResult = peerTransfer.extend({ event: z.literal('result') });
