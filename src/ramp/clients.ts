/** How a client named on the command line is reached: a carrier for each way of writing it. */
import { childLink } from '../carriers/link.js';
import { closeNats, connectNats, type NatsOptions } from '../carriers/nats.js';
import { callOverNats } from '../carriers/nats-link.js';
import { agentName, type Command as Request, report } from '../contract/agent.js';
import { validated } from '../contract/validated.js';
import { type Command, commandOf, type Program } from '../hosts/program.js';
import { Fleet } from './fleet.js';
import type { AgentLink } from './member.js';

const agentProgram = (name?: string): Program => ({
  subcommand: 'agent',
  args: name === undefined ? [] : ['--name', validated(agentName, name, `the name '${name}'`)],
});

/** A host name, maybe with a user; never an option, never a word for a shell. */
const sshHost = /^(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*$/;

/** The command that starts the agent of a client. @throws Error with one sentence when it cannot be understood */
export function agentCommand(client: string): Command {
  const [, kind, rest] = /^(local|netns|ssh):(.+)$/.exec(client) ?? [];
  if (client === 'local') return commandOf(agentProgram());
  if (kind === 'local') return commandOf(agentProgram(rest));
  if (kind === 'netns') {
    const { command, args } = commandOf(agentProgram(rest));
    return { command: 'ip', args: ['netns', 'exec', rest!, command, ...args] };
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
  const commands = clients
    .filter((client) => !client.startsWith('nats:'))
    .map((client) => ({ client, command: agentCommand(client) }));
  const connection = remote.length > 0 ? await connectNats(nats!) : null;
  const links: AgentLink[] = commands.map(({ client, command }) =>
    childLink<typeof report, Request>(client, report, command),
  );
  try {
    if (connection)
      links.push(...(await callOverNats<typeof report, Request>(connection, nats!.fleet, remote, report)));
    return await Fleet.open(links, async () => {
      if (connection) await closeNats(connection);
    });
  } catch (error) {
    for (const link of links) link.close();
    await connection?.close();
    throw error;
  }
}
