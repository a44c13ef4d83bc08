/**
 * Groups of replicas: the lines of a replica (servers/replica.ts), what it is told, and what a client of a group measured
 * (clients/quorum.ts).
 *
 * A replica says hello once it listens and waits to be told its group. Control lines: `group JSON`, `snapshot ID` (of its counts),
 * `compact` (a snapshot of its state), `crash` (it ends at once by SIGKILL, its own), `stop`; the end of control is its end.
 */
import { z } from 'zod';
import { amount, backendName, count, spentNs } from './common.js';
import { latency } from './load.js';
import { quorumFaults, quorumProtocols, quorumSeals, quorumSystems } from './names.js';
import { capabilities, counters } from './server.js';

export const quorumProtocol = z.enum(quorumProtocols);
export const quorumSystem = z.enum(quorumSystems);
export type QuorumSystem = z.infer<typeof quorumSystem>;
export const quorumSeal = z.enum(quorumSeals);
export type QuorumSeal = z.infer<typeof quorumSeal>;
export const quorumFault = z.enum(quorumFaults);

const place = z.strictObject({ host: z.string(), port: count });

/** What a replica is told of its group: who it is, where all are, and the keys that are its own. */
export const replicaGroup = z.strictObject({
  id: count,
  replicas: z.array(place),
  /** of the group; who does not know it is no replica of it, hex */
  token: z.string(),
  /** by replica. hmac: the key shared with it, hex; ed25519: its public key, base64 of its SPKI; empty: none */
  keys: z.array(z.string()),
  /** ed25519: its private key, base64 of its PKCS #8 */
  ownKey: z.string(),
  /** hmac: what keys shared with clients are made of, hex; ed25519: the clients' public key */
  clientKey: z.string(),
});
export type ReplicaGroup = z.infer<typeof replicaGroup>;

export const replicaHello = z.object({
  event: z.literal('hello'),
  protocol: quorumProtocol,
  backend: backendName,
  capabilities,
  address: z.string(),
  port: count,
  pid: count,
  kernel: z.string(),
  cpuAffinity: z.array(count),
  versions: z.record(z.string(), z.string()),
  digest: z.string(),
  /** where its log is; null: it has none */
  folder: z.string().nullable(),
  /** that folder is in memory, where a sync costs nothing and keeps nothing */
  inMemory: z.boolean(),
  fsync: z.boolean(),
  seal: quorumSeal,
  fault: quorumFault.nullable(),
  /** milliseconds without a leader after which an election begins at the earliest, or that a request may take */
  patienceMs: count,
  /** entries found in its log, and bytes of a torn tail that were cut off */
  recovered: z.object({ entries: count, tornBytes: count }),
});
export type ReplicaHello = z.infer<typeof replicaHello>;

export const replicaSnapshot = z.object({
  event: z.literal('snapshot'),
  id: z.string(),
  monotonicNs: z.number(),
  role: z.enum(['follower', 'pre-candidate', 'candidate', 'leader', 'backup', 'primary']),
  /** of Raft; the view of PBFT */
  term: count,
  /** entries or batches carried out */
  applied: count,
  /**
   * of PBFT: by how much was carried out, a digest of all of it in order, of some of the last batches; replicas that agree have
   * none in common that differ
   */
  trail: z.array(z.tuple([count, z.string()])),
  /** requests carried out */
  requests: count,
  cpu: z.object({ userUs: z.number(), systemUs: z.number() }),
  contextSwitches: z.object({ voluntary: count, involuntary: count }),
  peakRssBytes: count,
  counters,
  frames: z.object({ in: count, out: count, bytesIn: count, bytesOut: count, refused: count }),
  /** writes of the log, and nanoseconds in write and fdatasync; null: there is none */
  log: z.object({ syncs: count, bytes: count, busyNs: z.number() }).nullable(),
});
export type ReplicaSnapshot = z.infer<typeof replicaSnapshot>;

/** What a member of Raft says when it is so far: it has taken the snapshot it was asked for, or has one of others on its disk. */
export const replicaEvent = z.object({
  event: z.enum(['compacted', 'restored']),
  monotonicNs: z.number(),
  bytes: count,
});
export type ReplicaEvent = z.infer<typeof replicaEvent>;

/** Means over all requests that were answered, along the chain of messages that led to the answer, milliseconds. */
export const quorumSteps = z.object({
  wire: amount,
  wake: amount,
  crypto: amount,
  fsync: amount,
  /** the rest: the protocol's work, and waiting for others' requests */
  rest: z.number(),
  total: amount,
});
export type QuorumSteps = z.infer<typeof quorumSteps>;

/** A leader that was killed. */
export const quorumKill = z.object({
  /** from the kill until a write that was asked for afterwards was acknowledged */
  firstWriteNs: spentNs,
});

export const quorumResult = z.object({
  event: z.literal('result'),
  system: quorumSystem,
  /** writes that were acknowledged within the window, and requests that failed or had to be asked again */
  writes: count,
  reads: count,
  repeated: count,
  elapsedNs: spentNs,
  /** of writes */
  latency,
  /** null: the system does not tell */
  steps: quorumSteps.nullable(),
  kills: z.array(quorumKill),
  /** acknowledged writes that a read at the end did not find, nor a later one */
  lost: count,
  /** whether the whole history is linearizable, over how many operations; null: it was not checked */
  history: z.object({ operations: count, linearizable: z.boolean(), fault: z.string() }).nullable(),
});
export type QuorumResult = z.infer<typeof quorumResult>;
