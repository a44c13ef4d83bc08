/** What is under test: a server of ours, one on somebody else's loop, or somebody else's program that serves a protocol of ours. */
import { z } from 'zod';
import type {
  AcceptSharing,
  BackendName,
  Implementation,
  IoMode,
  MechanismName,
  Protocol,
} from './common.js';
import type { PeerServerName } from './peers.js';
import { identifier } from './sample.js';

/** A server of ours: who runs the protocol on which mechanism. */
export interface DispatchSubject {
  kind: 'dispatch';
  protocol: Protocol;
  impl: Implementation;
  backend: MechanismName;
  io: IoMode | null;
  /** UDP: consecutive ports it listens on; 1 when left out */
  ports?: number;
  /** how its engine uses its ring, in the words of `--engine-options` */
  engineOptions?: string;
  /** microseconds that each wait for readiness lasts at least; none when left out */
  leastWait?: number;
  /** length of its listen queue; the servers' own choice when left out */
  backlog?: number;
  /** threads that serve; one when left out */
  workers?: number;
  /** how several of them share what is to be accepted */
  accept?: AcceptSharing;
}

/** Somebody else's server, in the words of a plan. */
export const foreignServer = z.strictObject({
  /** what rows and labels call it */
  name: identifier,
  /**
   * program and arguments, started as they are and never read by a shell; `{port}` and `{address}` inside any of them
   * stand for where it has to listen, `{cpus}` for the CPUs it is given, `{upstream}` for the address
   * and port of a server it may forward to
   */
  command: z.array(z.string()).min(1),
});
export type ForeignServer = z.infer<typeof foreignServer>;

export interface ForeignSubject extends ForeignServer {
  kind: 'foreign';
  protocol: Protocol;
  ports?: number;
  /** a control group whose processes are its own as well, whoever started them: a container's */
  group?: string;
  /** it serves when it has told a line of its own: what accepts on its port until then is not the server */
  ready?: 'told';
  /** milliseconds that it may take to; left out: the wrapper's choice */
  readyTimeoutMs?: number;
  /** why there is none on its host, and how to get it */
  missing?: string;
}

/** A server in C on somebody else's loop: wrapped as a foreign one is, and told which mechanism to use. */
export interface PeerSubject {
  kind: 'peer';
  protocol: Protocol;
  impl: PeerServerName;
  backend: BackendName;
  ports?: number;
  backlog?: number;
}

export type Subject = DispatchSubject | ForeignSubject | PeerSubject;
