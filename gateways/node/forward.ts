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
  /** further header fields, name and value in turn */
  fields?: string[];
}

export interface Forwarding {
  upstream: Endpoint;
  timeoutMs: number;
  /** Calls `cancel` when the client is gone, or has its reply. */
  atEnd(cancel: () => void): void;
}

function refusalOf({ code }: NodeJS.ErrnoException): Refusal {
  return new Refusal(
    502,
    code === 'ECONNREFUSED'
      ? 'the upstream refuses connections'
      : 'the connection to the upstream failed, or its reply is cut short or no HTTP',
  );
}

/** @throws Refusal */
export function forward(target: string, { upstream, timeoutMs, atEnd }: Forwarding): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { address: host, port } = upstream;
    const headers = { Host: authorityOf(upstream), Connection: 'close' };
    const asked = request({ host, port, path: target, agent: false, headers });
    const refuse = (refusal: Refusal) => {
      reject(refusal);
      asked.destroy();
    };
    const fail = (error: Error) => refuse(refusalOf(error));
    const late = () => refuse(new Refusal(504, 'the upstream did not answer in time'));
    const timer = setTimeout(late, timeoutMs);
    asked.on('close', () => clearTimeout(timer));
    asked.on('error', fail);
    asked.on('response', (reply) => {
      const chunks: Buffer[] = [];
      let length = 0;
      reply.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > MOST_BODY) refuse(new Refusal(502, "the upstream's reply is longer than 1 MiB"));
      });
      reply.on('end', () =>
        resolve({
          status: reply.statusCode!,
          type: reply.headers['content-type'],
          body: Buffer.concat(chunks),
        }),
      );
      reply.on('error', fail);
    });
    atEnd(() => asked.destroy());
    asked.end();
  });
}
