/**
 * A group of somebody else's that is measured beside ours: how its members are started, and how a client speaks to one of
 * them. A new one is one file beside this, a name with its words in src/contract/quorum-peers.ts, and a line in registry.ts.
 */
import type { GoProgram } from '../go.js';
import type { Program } from '../hosts/program.js';
import type { HostPort } from '../options.js';

/** What is asked of a group. */
export interface PeerAsked {
  replicas: number;
  /** a commit waits for the disk */
  fsync: boolean;
  /** milliseconds without a leader until an election; left out: what the system takes by itself */
  patienceMs?: number | undefined;
}

export interface PeerGroupSpec extends PeerAsked {
  /** where each member listens: for clients, and for the other members */
  places: readonly { client: HostPort; member: HostPort }[];
  /** of all their files */
  folder: string;
}

/** A request that nobody has carried out or ever will: it may be asked again, of the same member. */
export class NotCarriedOut extends Error {}

/** A connection of one client to one member. */
export interface PeerClient {
  /** @throws NotCarriedOut, or another error when nobody knows whether it was carried out */
  put(key: string, value: string): Promise<void>;
  /** @returns '' of a key that was never written */
  get(key: string): Promise<string>;
  close(): void;
}

export interface Peer {
  /** what its members may do and the group goes on: end, or say whatever they like */
  bears: 'crashes' | 'lies';
  /** whether commits wait for the disk, as far as it can be had */
  fsync: readonly ('on' | 'off')[];
  /** where the files of a group lie that does not wait for the disk and cannot be told so: in memory. Left out: it can */
  unsyncedIn?: string;
  /** its program, where it can be built here; left out: it cannot, it is installed or not */
  built?: GoProgram;
  /** Why there can be no such group here, and how to get it; undefined: there can. */
  missing(asked: Pick<PeerAsked, 'replicas' | 'fsync'>): string | undefined;
  version(): string;
  /** What it is told beside its defaults, and what was asked that it cannot be told, in words. */
  settings(asked: PeerAsked): { told: readonly string[]; untold: readonly string[] };
  /** The programs of all members, in order; their files are written. @throws Error in one sentence */
  members(spec: PeerGroupSpec): Program[];
  /**
   * Waits until the group takes writes, and makes what it takes for that.
   * @returns number of the member that leads, or that clients ask where all may lead
   * @throws Error in one sentence
   */
  leader(members: readonly HostPort[], patienceMs: number): Promise<number>;
  client(at: HostPort, patienceMs: number): PeerClient;
}
