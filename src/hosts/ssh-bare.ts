/**
 * A machine that is reached by ssh and has nothing of ours, the client here: our native programs are carried there over the
 * one connection, into a folder that is removed when it ends. Its shell gets one text, which is ours but for no word; what
 * is to be started travels in frames.
 */
import { randomUUID } from 'node:crypto';
import { childLink, type Link } from '../carriers/link.js';
import { type StarterReport, type StarterRequest, starterReport } from '../contract/starter.js';
import { BareObserver, bareObserverProgram } from './bare-observer.js';
import { archiveOf, carriedPrograms } from './carried.js';
import type { HostKind, Roles } from './host.js';
import { ObservedHost } from './observed-host.js';
import { Opened } from './opened.js';
import { Remote } from './remote.js';
import { inName, machineNamed, noSsh, sshCommand, sshReadyMs } from './ssh-connection.js';

type Greeting = Extract<StarterReport, { type: 'bare' }>;

/**
 * Says what the machine is, takes an archive of so many bytes, runs the starter in it, and removes all however that ended.
 * The connection's end is that of the starter, and of each step before. In quotes that every shell reads alike.
 */
const carrying = (folder: string): string =>
  `exec sh -c 'umask 077; d=${folder}; mkdir $d || exit 1; ` +
  'printf "{\\"type\\":\\"bare\\",\\"system\\":\\"%s\\",\\"machine\\":\\"%s\\",\\"connection\\":\\"%s\\"}\\n" ' +
  '"$(uname -s)" "$(uname -m)" "$SSH_CONNECTION"; ' +
  'read size && head -c $size | tar -xf - -C $d && $d/dispatchbench-bare starter; ' +
  "code=$?; rm -rf $d; exit $code'";

/** @throws Error in one sentence when it says nothing, or something else */
function greeting(link: Link<StarterReport, StarterRequest>): Promise<Greeting> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${link.peer} says nothing for ${sshReadyMs / 1000} s`)),
      sshReadyMs,
    );
    link.onFrame((frame) => {
      clearTimeout(timer);
      if (frame.type === 'bare') resolve(frame);
      else reject(new Error(`${link.peer} says '${frame.type}' before it was given our programs`));
    });
    void link.ended.then(({ how }) => {
      clearTimeout(timer);
      reject(new Error(how));
    });
  });
}

interface Ends {
  client: string;
  server: string;
}

/** @param connection client's address and port, then the server's. @throws Error in one sentence when it is none of IPv4 */
function endsOf(connection: string, to: string): Ends {
  const words = connection.split(' ').map((word) => word.replace(/^::ffff:/i, ''));
  const [client = '', , server = ''] = words;
  const isAddress = (word: string) => /^\d+\.\d+\.\d+\.\d+$/.test(word);
  if (!isAddress(client) || !isAddress(server))
    throw new Error(
      `${to} is reached over '${connection}', and servers there have to be reached at an address of IPv4: ssh -4 has one`,
    );
  return { client, server };
}

const openBare = (to: string): Promise<Roles> =>
  Opened.by(async (opened) => {
    const folder = `/tmp/dispatchbench-bare-${randomUUID()}`;
    const link = childLink<typeof starterReport, StarterRequest>(
      to,
      starterReport,
      sshCommand(to, carrying(folder)),
      true,
    );
    opened.atEnd(async () => {
      link.close();
      await link.ended;
    });
    const failed = (error: Error) => {
      throw new Error(`not available: ${error.message}`);
    };
    const { system, machine, connection } = await greeting(link).catch(failed);
    const ends = endsOf(connection, to);
    const archive = archiveOf(carriedPrograms(system, machine));
    link.child.stdin!.write(`${archive.length}\n`);
    link.child.stdin!.write(archive);
    const remote = await Remote.over(link, sshReadyMs).catch(failed);
    const identity = {
      name: `ssh-bare-${inName(to)}`,
      executionClass: 'native',
      transport: ends.server.startsWith('127.') ? 'loopback' : 'network',
    } as const;
    const server = await ObservedHost.start({
      identity,
      address: ends.server,
      start: (name, command) => remote.start(name, command),
      installation: remote.installation,
      observer: { program: bareObserverProgram, asked: (program) => new BareObserver(program) },
    });
    opened.atEnd(() => server.stop());
    const client = await ObservedHost.start({ identity, address: ends.client });
    opened.atEnd(() => client.stop());
    return { name: identity.name, server, client, close: opened.close };
  });

export const sshBare: HostKind = {
  id: 'ssh-bare',
  onlyWhenAsked: true,
  summary:
    'a machine reached by ssh on which nothing of ours is installed, the client here: ssh-bare:[USER@]HOST',
  unavailable: noSsh,
  open: async (argument) => openBare(await machineNamed('ssh-bare', argument)),
};
