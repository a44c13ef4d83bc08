/** Asks the upstream on behalf of a client, with Node's client: a connection for each request, a reply read whole. */
import { request } from 'node:http';
import { authorityOf, type Endpoint } from './options.js';
import { Refusal } from './refusal.js';

/** Longest body that is passed on, bytes. */
export const MOST_BODY = 1 << 20;

export interface Reply {
  status: number;
  type: string | undefined;
  body: Buffer;
}

export interface Forwarding {
  upstream: Endpoint;
  timeoutMs: number;
  /** aborted when the client is gone */
  signal: AbortSignal;
}

/** @throws Refusal */
export async function forward(target: string, { upstream, timeoutMs, signal }: Forwarding): Promise<Reply> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  try {
    return await ask(target, upstream, AbortSignal.any([signal, late.signal]));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (late.signal.aborted) throw new Refusal(504, 'the upstream did not answer in time');
    const { code } = error as NodeJS.ErrnoException;
    throw new Refusal(
      502,
      code === 'ECONNREFUSED'
        ? 'the upstream refuses connections'
        : 'the connection to the upstream failed, or its reply is cut short or no HTTP',
    );
  } finally {
    clearTimeout(timer);
  }
}

function ask(target: string, upstream: Endpoint, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { address: host, port } = upstream;
    const headers = { Host: authorityOf(upstream), Connection: 'close' };
    const asked = request({ host, port, path: target, agent: false, headers, signal }, (reply) => {
      const chunks: Buffer[] = [];
      let length = 0;
      reply.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length <= MOST_BODY) return;
        reject(new Refusal(502, "the upstream's reply is longer than 1 MiB"));
        asked.destroy();
      });
      reply.on('end', () =>
        resolve({
          status: reply.statusCode!,
          type: reply.headers['content-type'],
          body: Buffer.concat(chunks),
        }),
      );
      reply.on('error', reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}
