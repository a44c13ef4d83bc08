/**
 * A connection to a NATS server. Who may speak on which subjects is the server's business: credentials, TLS, permissions;
 * here only what would let anybody in is refused.
 */
import { readFileSync } from 'node:fs';
import { connect as dial, isIP } from 'node:net';
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
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

/** A server that lets us wait for so long does not answer. */
const ANSWER_MS = 10_000;
/** And does not take our farewell. */
const FAREWELL_MS = 2000;
/** Of a server that is part of a large cluster, with room to spare. */
const MAX_GREETING_BYTES = 64 << 10;

/** Settles as the promise does, or rejects in this sentence when it takes longer. */
function within<T>(ms: number, promise: Promise<T>, late: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(late)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * Waits until the server has greeted, as one of NATS does before anything is asked. The library's own wait would leave the
 * socket of a silent one open, and with it the process.
 * @throws Error with one sentence when it does not
 */
function greeted(url: URL): Promise<void> {
  const socket = dial(Number(url.port || 4222), url.hostname.replace(/^\[|\]$/g, ''));
  const greeting = new Promise<void>((resolve, reject) => {
    let text = '';
    socket.setEncoding('latin1').on('data', (piece) => {
      text += piece;
      const start = 'INFO '.slice(0, text.length);
      const whole = text.includes('\n');
      if (!text.startsWith(start) || (!whole && text.length > MAX_GREETING_BYTES))
        reject(new Error('it greets like no NATS server'));
      else if (whole) resolve();
    });
    socket.once('error', reject);
    socket.once('end', () => reject(new Error('it closes the connection without a greeting')));
  });
  const late = `it accepts connections and says nothing for ${ANSWER_MS / 1000} s: is it a NATS server?`;
  return within(ANSWER_MS, greeting, late).finally(() => socket.destroy());
}

/** Waits until the server has taken all that was sent. @throws Error with one sentence when it does not */
export function flushed(connection: NatsConnection): Promise<void> {
  const late = `the NATS server ${connection.getServer()} has not answered for ${ANSWER_MS / 1000} s`;
  return within(ANSWER_MS, connection.flush(), late);
}

/**
 * Sends what is left to send, and closes.
 * @throws Error with one sentence when the server did not take it; the connection is closed also then
 */
export async function closeNats(connection: NatsConnection): Promise<void> {
  if (connection.isClosed()) return;
  const late = `the NATS server ${connection.getServer()} has not taken our farewell within ${FAREWELL_MS / 1000} s: agents wait 10 s for us and then serve others`;
  try {
    await within(FAREWELL_MS, connection.drain(), late);
  } finally {
    await connection.close();
  }
}

const howToInstall =
  'NATS needs a package that is not installed: npm install @nats-io/transport-node, with -g where dispatchbench was installed so';
const isAbsent = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND';

/** Why its library cannot be used, which few commands need and is not installed with us; null: it can. */
export function missingNatsLibrary(): string | null {
  try {
    import.meta.resolve('@nats-io/transport-node');
    return null;
  } catch (error) {
    if (!isAbsent(error)) throw error;
    return howToInstall;
  }
}

/** @throws Error with one sentence when it is not there */
export async function natsLibrary(): Promise<typeof import('@nats-io/transport-node')> {
  try {
    return await import('@nats-io/transport-node');
  } catch (error) {
    if (!isAbsent(error)) throw error;
    throw new Error(howToInstall);
  }
}

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
  const { connect, credsAuthenticator } = await natsLibrary();
  const tls = {
    ...(options.ca ? { caFile: options.ca } : {}),
    ...(options.cert ? { certFile: options.cert } : {}),
    ...(options.key ? { keyFile: options.key } : {}),
  };
  const settings: NodeConnectionOptions = {
    servers: url.host,
    name: 'dispatchbench',
    maxReconnectAttempts: -1,
    timeout: ANSWER_MS,
    ...(url.username
      ? { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) }
      : {}),
    ...(options.creds ? { authenticator: credsAuthenticator(readFileSync(options.creds)) } : {}),
    ...(url.protocol === 'tls:' || Object.keys(tls).length > 0 ? { tls } : {}),
  };
  try {
    await greeted(url);
    return await connect(settings);
  } catch (error) {
    throw new Error(`cannot use the NATS server ${url.host}: ${(error as Error).message}`);
  }
}
