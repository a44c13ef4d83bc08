/** How a subject is started. */
import type { Subject } from '../contract/subject.js';
import type { Program } from '../hosts/program.js';
import { foreignProgram } from './foreign.js';
import { peerProgram } from './peers.js';
import { serverProgram } from './server.js';

export interface Listening {
  /** where it listens */
  address: string;
  /** left out: any free port */
  port?: number | undefined;
  /** who may reach it beyond loopback; UDP servers answer nobody else */
  peer: string;
  cpus: readonly number[];
}

export const onLoopback = (address: string) => address.startsWith('127.');

export function subjectProgram(subject: Subject, { address, port, peer, cpus }: Listening): Program {
  if (subject.kind === 'foreign') return foreignProgram({ ...subject, address, port, cpus, control: true });
  if (subject.kind === 'peer')
    return peerProgram(subject, { address, port, cpus, control: true, expose: !onLoopback(address) });
  const { kind: _, io, ...server } = subject;
  const beyond = onLoopback(address)
    ? {}
    : subject.protocol === 'udp-echo'
      ? { allow: `${peer}/32` }
      : { expose: true };
  return serverProgram({ ...server, ...beyond, io: io ?? undefined, address, port, cpus, control: true });
}
