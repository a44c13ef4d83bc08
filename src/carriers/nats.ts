/**
 * A connection to a NATS server. Who may speak on which subjects is the server's business: credentials, TLS, permissions;
 * here only what would let anybody in is refused.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import {
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node';
import { agentName } from '../contract/agent.js';
import { validated } from '../contract/validated.js';

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

const onLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));

/** @throws Error with one sentence when the options are unsafe or the server cannot be reached */
export async function connectNats(options: NatsOptions): Promise<NatsConnection> {
  const url = URL.canParse(options.url) ? new URL(options.url) : null;
  if (!url || !['nats:', 'tls:'].includes(url.protocol) || !url.hostname)
    throw new Error(`'${options.url}' is no NATS address: write nats://host:port or tls://host:port`);
  validated(agentName, options.fleet, `the fleet '${options.fleet}'`);
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
