/** How a client named on the command line is reached: a carrier for each way of writing it. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../addon.js';
import { agentName, type Command, report } from '../contract/agent.js';
import type { Command as Program } from '../hosts/host.js';
import { type AgentLink, Fleet } from './fleet.js';
import { childLink } from './link.js';
import { connectNats, type NatsOptions, natsLinks } from './nats.js';

/** @throws Error with one sentence when it is no name of an agent */
export function checkedName(name: string): string {
  const parsed = agentName.safeParse(name);
  if (!parsed.success) throw new Error(`the name '${name}' ${parsed.error.issues[0]!.message}`);
  return parsed.data;
}

/** A host name as this machine's agent gives it when nobody says otherwise. */
export const defaultAgentName = (): string =>
  hostname()
    .replace(/[^A-Za-z0-9_-]/g, '-')
    .slice(0, 64) || 'agent';

const here = (...args: string[]): Program => ({
  command: process.execPath,
  args: [join(packageRoot, 'bin/dispatchbench.js'), 'agent', ...args],
});

/** A host name, maybe with a user; never an option, never a word for a shell. */
const sshHost = /^(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*$/;

/** @throws Error with one sentence when it cannot be understood */
export function agentProgram(client: string): Program {
  const [, kind, rest] = /^(local|netns|ssh):(.+)$/.exec(client) ?? [];
  if (client === 'local') return here();
  if (kind === 'local') return here('--name', checkedName(rest!));
  if (kind === 'netns') {
    const name = checkedName(rest!);
    const { command, args } = here('--name', name);
    return { command: 'ip', args: ['netns', 'exec', name, command, ...args] };
  }
  const host = kind === 'ssh' ? rest! : client;
  if (/:\d+$/.test(host))
    throw new Error(
      `'${client}' names an autobenchd, whose protocol would run any text in a shell: write the host alone (ssh) or nats:NAME`,
    );
  if (!sshHost.test(host))
    throw new Error(
      `'${client}' is no client: write HOST or ssh:HOST, local, local:NAME, netns:NAME or nats:NAME`,
    );
  // BatchMode: a question for a password would wait for ever.
  return { command: 'ssh', args: ['-o', 'BatchMode=yes', '--', host, 'dispatchbench', 'agent'] };
}

/** @throws Error with one sentence when a client cannot be reached or does not register */
export async function openFleet(clients: readonly string[], nats: NatsOptions | null): Promise<Fleet> {
  const remote = clients.filter((client) => client.startsWith('nats:')).map((client) => client.slice(5));
  if (remote.length > 0 && !nats) throw new Error('clients named nats:NAME need --nats nats://host:port');
  const programs = clients
    .filter((client) => !client.startsWith('nats:'))
    .map((client) => ({ client, program: agentProgram(client) }));
  const connection = remote.length > 0 ? await connectNats(nats!) : null;
  const links: AgentLink[] = programs.map(({ client, program }) =>
    childLink<typeof report, Command>(client, report, program),
  );
  if (connection) links.push(...(await natsLinks(connection, nats!.fleet, remote)));
  try {
    return await Fleet.open(links, async () => connection?.drain());
  } catch (error) {
    await connection?.close();
    throw error;
  }
}
