/** Programs on other people's loops: where they are, and how their servers are started. */
import { existsSync } from 'node:fs';
import { programPath } from '../addon.js';
import { type PeerServerName, peerServers } from '../contract/peers.js';
import type { PeerSubject } from '../contract/subject.js';
import type { Program } from '../hosts/program.js';
import { flag } from './client.js';
import { type ForeignSpec, wrapped } from './foreign.js';

/** Why a program is not there, and how to get it; undefined where it is. */
export const missingProgram = (name: string, program: string, from: string): string | undefined =>
  existsSync(programPath(program))
    ? undefined
    : `${name} is not available here: install its library (Debian, Ubuntu: apt install ${from}) and build again (npm run setup)`;

export const peerServer = (impl: PeerServerName) => peerServers.find(({ name }) => name === impl)!;

export function missingPeerServer(impl: PeerServerName): string | undefined {
  const { name, server, package: from } = peerServer(impl);
  return missingProgram(name, server.program, from);
}

/** Highest descriptor that it can watch so; undefined: limited only by the process. */
export function highestOf({ impl, backend }: PeerSubject): number | undefined {
  const { highest } = peerServer(impl).server;
  return (highest as Partial<Record<string, number>>)[backend];
}

/** Wrapped, and served only when it has said which mechanism it got. */
export function peerProgram(
  { impl, backend, protocol, ports, backlog }: PeerSubject,
  { expose, ...spec }: Omit<ForeignSpec, 'command' | 'protocol' | 'ports' | 'ready'> & { expose: boolean },
): Program {
  const args = [
    ...flag('protocol', protocol),
    ...flag('backend', backend),
    ...flag('backlog', backlog),
    ...['--address', '{address}', '--port', '{port}'],
    ...(expose ? ['--expose'] : []),
  ];
  return wrapped(
    { ...spec, protocol, ports, ready: 'told' },
    { native: peerServer(impl).server.program, args },
  );
}
