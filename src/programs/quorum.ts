/** How replicas of a group are started, and what has them agree. */
import { z } from 'zod';
import { type BackendName, count } from '../contract/common.js';
import type { QuorumFault, QuorumProtocol, QuorumSealName } from '../contract/names.js';
import { quorumSeal, quorumSystem } from '../contract/quorum.js';
import type { Program } from '../hosts/program.js';
import { clientProgram, flag } from './client.js';
import { onLoopback } from './subject.js';

export interface ReplicaSpec {
  protocol: QuorumProtocol;
  backend: BackendName;
  address?: string | undefined;
  port?: number | undefined;
  cpus?: readonly number[] | undefined;
  /** of its log; left out: a temporary one */
  folder?: string | undefined;
  /** a folder that is named goes as well when the replica ends */
  temporary?: boolean | undefined;
  /** what is in it goes first */
  empty?: boolean | undefined;
  fsync?: boolean | undefined;
  seal?: QuorumSealName | undefined;
  fault?: QuorumFault | undefined;
  batch?: number | undefined;
  inTurn?: boolean | undefined;
  patienceMs?: number | undefined;
  snapshotAfter?: number | undefined;
}

/** Its stdin is its control channel. */
export const replicaProgram = (spec: ReplicaSpec): Program => ({
  script: 'servers/replica',
  args: [
    '--control',
    ...flag('protocol', spec.protocol),
    ...flag('backend', spec.backend),
    ...flag('address', spec.address),
    ...(spec.address !== undefined && !onLoopback(spec.address) ? ['--expose'] : []),
    ...flag('port', spec.port),
    ...flag('cpu', spec.cpus?.length ? spec.cpus.join(',') : undefined),
    ...flag('folder', spec.folder),
    ...(spec.temporary ? ['--temporary'] : []),
    ...(spec.empty ? ['--empty'] : []),
    ...(spec.fsync === false ? ['--no-fsync'] : []),
    ...flag('seal', spec.seal),
    ...flag('fault', spec.fault),
    ...flag('batch', spec.batch),
    ...(spec.inTurn ? ['--in-turn'] : []),
    ...flag('patience', spec.patienceMs),
    ...flag('snapshot-after', spec.snapshotAfter),
  ],
});

export const quorumClientSpec = z.strictObject({
  system: quorumSystem,
  /** where replicas listen for clients, by number */
  replicas: z.array(z.strictObject({ host: z.string(), port: count })).min(1),
  seal: quorumSeal,
  /** the clients' keys, where requests are sealed */
  keys: z.array(z.string()),
  /** faulty replicas that the group bears: so many and one more have to say the same (PBFT) */
  bears: count,
  /** more are faulty than it bears: nothing may be acknowledged, and what is may be wrong */
  beyond: z.boolean(),
  clients: count.min(1),
  valueBytes: count.min(1).max(1 << 20),
  /** share of requests that read */
  readShare: z.number().min(0).max(1),
  warmupMs: count,
  durationMs: count,
  /** bytes that are written before anything is measured, and then a replica that lost all fetches them within the window; 0: none */
  stateBytes: count,
  /** leaders that are killed, one after another, in the place of a window of that duration */
  kills: count,
  /** milliseconds after which a request is asked for again, of another replica */
  patienceMs: count.min(1),
  /** milliseconds that all of it may take */
  mostMs: count.min(1),
  cpus: z.array(count),
});
export type QuorumClientSpec = z.infer<typeof quorumClientSpec>;

export const quorumClientProgram = (spec: QuorumClientSpec): Program =>
  clientProgram('quorum', [JSON.stringify(spec)]);
