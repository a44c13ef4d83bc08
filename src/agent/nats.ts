/**
 * NATS as carrier, for fleets. The coordinator opens a session of its own name and calls; the agents it names
 * answer on subjects that carry the session, so that two coordinators, or a late frame of a dead one, never mix:
 *
 *   dispatchbench.FLEET.call                  coordinator -> all agents: the session's name, who is meant
 *   dispatchbench.FLEET.SESSION.to.AGENT      commands
 *   dispatchbench.FLEET.SESSION.from.AGENT    reports
 *
 * Who may speak on them is the NATS server's business: credentials, TLS, permissions on subjects.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import {
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
  nuid,
  type Subscription,
} from '@nats-io/transport-node';
import { z } from 'zod';
import { agentName, type Command, command, type Report, report } from '../contract/agent.js';
import type { Agent } from './agent.js';
import { serve } from './agent.js';
import type { AgentLink } from './fleet.js';
import { decodeFrame } from './frames.js';
import { Inbox, type Link } from './link.js';

export interface NatsOptions {
  /** nats://[user:password@]host[:port] or tls://... */
  url: string;
  fleet: string;
  /** file with a user's JWT and seed */
  creds?: string | undefined;
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
}

/** A coordinator that has been silent for so long is gone; it pings every second. */
const SILENCE_MS = 10_000;

const onLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));

/** @throws Error with one sentence when the options are unsafe or the server cannot be reached */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const url = URL.canParse(options.url) ? new URL(options.url) : null;
  if (!url || !['nats:', 'tls:'].includes(url.protocol) || !url.hostname)
    throw new Error(`'${options.url}' is no NATS address: write nats://host:port or tls://host:port`);
  if (!agentName.safeParse(options.fleet).success)
    throw new Error(`'${options.fleet}' is no name of a fleet: use letters, digits, - and _`);
  const authenticated = options.creds !== undefined || options.cert !== undefined || url.username !== '';
  if (!authenticated && !onLoopback(url.hostname))
    throw new Error(
      `anybody could command the agents through ${url.host}: give --nats-creds, a client certificate, or user:password@ in the address`,
    );
  const tls = {
    ...(options.ca ? { caFile: options.ca } : {}),
    ...(options.cert ? { certFile: options.cert } : {}),
    ...(options.key ? { keyFile: options.key } : {}),
  };
  const settings: NodeConnectionOptions = {
    servers: url.host,
    name: 'dispatchbench',
    maxReconnectAttempts: -1,
    ...(url.username
      ? { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) }
      : {}),
    ...(options.creds ? { authenticator: credsAuthenticator(readFileSync(options.creds)) } : {}),
    ...(url.protocol === 'tls:' || Object.keys(tls).length > 0 ? { tls } : {}),
  };
  try {
    return await connect(settings);
  } catch (error) {
    throw new Error(`cannot use the NATS server ${url.host}: ${(error as Error).message}`);
  }
}

const subjects = (fleet: string) => ({
  call: `dispatchbench.${fleet}.call`,
  to: (session: string, agent: string) => `dispatchbench.${fleet}.${session}.to.${agent}`,
  from: (session: string, agent: string) => `dispatchbench.${fleet}.${session}.from.${agent}`,
});

/** One direction in, one out, over subjects of a session. */
function subjectLink<Schema extends z.ZodType>(
  connection: NatsConnection,
  peer: string,
  schema: Schema,
  from: string,
  to: string,
): Link<z.infer<Schema>, unknown> & { heardAt(): number; end(how: string): void } {
  const inbox = new Inbox<z.infer<Schema>>();
  let heardAt = Date.now();
  let subscription: Subscription | null = null;
  let end: (how: string) => void = () => {};
  const ended = new Promise<string>((resolve) => {
    end = (how) => {
      subscription?.unsubscribe();
      resolve(how);
    };
  });
  subscription = connection.subscribe(from, {
    callback: (error, message) => {
      if (error) return end(`${peer}: ${error.message}`);
      heardAt = Date.now();
      try {
        inbox.deliver(decodeFrame(schema, message.string()));
      } catch (fault) {
        end(`${peer} sent what is ${(fault as Error).message}`);
      }
    },
  });
  void connection.closed().then(() => end('the connection to the NATS server ended'));
  return {
    peer,
    send: (frame) => {
      if (!connection.isClosed()) connection.publish(to, JSON.stringify(frame));
    },
    onFrame: (handler) => inbox.listen(handler),
    ended,
    close: () => end(`${peer} was left`),
    heardAt: () => heardAt,
    end,
  };
}

const call = z.object({ session: agentName, agents: z.array(agentName).max(10_000) });

/** Serves coordinators, one after the other, until the connection ends or `signal` aborts. */
export async function serveNats(
  connection: NatsConnection,
  fleet: string,
  agent: Agent,
  signal?: AbortSignal,
): Promise<string> {
  const names = subjects(fleet);
  let serving = false;
  signal?.addEventListener('abort', () => void connection.close());
  const serveOne = async (session: string): Promise<void> => {
    const to = names.from(session, agent.name);
    if (serving) {
      connection.publish(
        to,
        JSON.stringify({ type: 'refused', reason: 'it serves another coordinator' } satisfies Report),
      );
      return;
    }
    serving = true;
    const link = subjectLink(connection, 'the coordinator', command, names.to(session, agent.name), to);
    const watch = setInterval(() => {
      if (Date.now() - link.heardAt() > SILENCE_MS) link.end('the coordinator has been silent for 10 s');
    }, 1000);
    await serve(link as Link<Command, Report>, agent);
    clearInterval(watch);
    link.close();
    serving = false;
  };
  connection.subscribe(names.call, {
    callback: (error, message) => {
      if (error) return;
      const parsed = call.safeParse(message.json());
      if (parsed.success && parsed.data.agents.includes(agent.name)) void serveOne(parsed.data.session);
    },
  });
  await connection.closed();
  return 'the connection to the NATS server ended';
}

/** Calls the named agents. They register as fleet.ts expects; one that is missing is noticed there. */
export async function natsLinks(
  connection: NatsConnection,
  fleet: string,
  agents: readonly string[],
): Promise<AgentLink[]> {
  const names = subjects(fleet);
  const session = nuid.next();
  const links = agents.map((agent) => {
    if (!agentName.safeParse(agent).success)
      throw new Error(`'nats:${agent}' names no agent: use letters, digits, - and _`);
    return subjectLink(connection, agent, report, names.from(session, agent), names.to(session, agent));
  });
  // Subscriptions first: an agent answers the call at once.
  await connection.flush();
  connection.publish(names.call, JSON.stringify({ session, agents }));
  return links as AgentLink[];
}
