/** A gateway on node:http. What GET / says is given to it, so that the gateway with a module is the same gateway. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { Chain } from './compute.js';
import { forward, type Reply } from './forward.js';
import type { GatewayOptions } from './options.js';
import {
  announce,
  firstReplyTold,
  listenRefusal,
  type Module,
  type Phases,
  tellFirstReply,
} from './program.js';
import { Refusal } from './refusal.js';
import { route } from './route.js';

/** A GET needs no body; what comes with one is dropped up to this many bytes. */
const MOST_BODY = 64 * 1024;

export interface Served {
  mode: string;
  module: Module | null;
  /** known before the gateway listens */
  phases: Pick<Phases, 'main' | 'compiled' | 'instantiated'>;
  /** GET /. @throws Refusal */
  hello(): Hello;
}

export interface Hello {
  body: Uint8Array;
  /** digest of the module that wrote it, where it may be another one the next time */
  sha256?: string;
}

const plain = (text: string): Reply => ({ status: 200, type: 'text/plain', body: Buffer.from(text) });

/** @throws Refusal */
function saidHello({ body, sha256 }: Hello): Reply {
  if (body.length === 0) throw new Refusal(502, 'the module wrote nothing');
  const fields = sha256 === undefined ? [] : ['X-Module-Sha256', sha256];
  return { ...plain(''), body: Buffer.from(body), fields };
}

type Refused = [status: string, reason: string];
type ClientError = NodeJS.ErrnoException & { rawPacket?: Buffer };

/** What node:http's parser refuses in other words than most, by its codes. */
const refusedBytes: Record<string, Refused> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'request line and header fields are longer than 16 KiB',
  ],
};
const noMethod: Refused = ['405 Method Not Allowed', 'only GET and HEAD are served here'];
const malformed: Refused = ['400 Bad Request', 'not a well-formed request'];

function refusedBytesOf({ code = '', rawPacket }: ClientError): Refused {
  const named =
    rawPacket !== undefined && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ /.test(rawPacket.toString('latin1'));
  return code === 'HPE_INVALID_METHOD' && named ? noMethod : (refusedBytes[code] ?? malformed);
}

/** Answers what node:http made no request of. */
function refuse(socket: Socket, [status, reason]: Refused): void {
  const body = `${reason}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** A slice at a time: others are served in between. */
async function compute(chain: Chain, response: ServerResponse): Promise<Reply> {
  while (!chain.advance() && !response.destroyed) await setImmediate();
  return plain(chain.text);
}

export async function serveHttp(options: GatewayOptions, served: Served): Promise<void> {
  const { keepAlive, timeoutMs, backlog, maxIterations, upstream } = options;
  let counter = 0;

  /** @throws Refusal, at once or later */
  function answer(request: IncomingMessage, response: ServerResponse): Reply | Promise<Reply> {
    const { method, url, headers, httpVersion } = request;
    // node:http takes HTTP/0.9, and answers without a reason where Host is missing.
    if (!/^1\./.test(httpVersion) || (httpVersion !== '1.0' && headers.host === undefined))
      throw new Refusal(400, malformed[1]);
    const chosen = route(method!, url!, maxIterations);
    if (chosen.work === 'refuse') throw new Refusal(chosen.status, chosen.reason);
    if (headers['transfer-encoding'] !== undefined)
      throw new Refusal(400, "a request's body must have a Content-Length");
    if (Number(headers['content-length'] ?? 0) > MOST_BODY)
      throw new Refusal(413, "the request's body is longer than 64 KiB");
    switch (chosen.work) {
      case 'hello':
        return saidHello(served.hello());
      case 'health':
        return plain('ok');
      case 'state':
        return plain(`${counter++}`);
      case 'compute':
        return compute(new Chain(chosen.iterations), response);
      case 'forward':
        return forward(url!, { upstream, timeoutMs, atEnd: (cancel) => response.once('close', cancel) });
    }
  }

  /** Whether node:http has to read more of a request to use its connection again. */
  const hasBody = ({ headers }: IncomingMessage) =>
    headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > MOST_BODY;

  /** connections that were given their last reply: what is wrong with what they send besides is said to nobody */
  const closing = new WeakSet<Socket>();

  function send(
    request: IncomingMessage,
    response: ServerResponse,
    { status, type, body, fields: more = [] }: Reply,
  ): void {
    const closes = !keepAlive || hasBody(request);
    const fields = type === undefined ? [...more] : ['Content-Type', type, ...more];
    if (status !== 204) fields.push('Content-Length', `${body.length}`);
    if (status === 405) fields.push('Allow', 'GET, HEAD');
    if (closes) {
      fields.push('Connection', 'close');
      closing.add(request.socket);
    }
    response.writeHead(status, fields);
    if (status === 200 && !firstReplyTold()) response.once('finish', tellFirstReply);
    response.end(body);
  }

  const server = createServer({
    noDelay: true,
    requireHostHeader: false,
    headersTimeout: timeoutMs,
    requestTimeout: timeoutMs,
    keepAliveTimeout: timeoutMs,
    connectionsCheckingInterval: Math.max(1, Math.floor(timeoutMs / 4)),
    maxHeaderSize: 16 * 1024,
  });
  server.setTimeout(timeoutMs * 2); // what none of the others covers: a client that does not take its reply
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.once('close', () => goOn(request.socket));
    try {
      const reply = answer(request, response);
      send(request, response, reply instanceof Promise ? await reply : reply);
    } catch (error) {
      const { status, message } = error instanceof Refusal ? error : new Refusal(500, 'the gateway failed');
      if (!(error instanceof Refusal)) process.stderr.write(`${(error as Error).stack}\n`);
      send(request, response, { ...plain(`${message}\n`), status });
    }
  }

  /** by connection with a reply under way: requests that wait for its end */
  const pipelined = new Map<Socket, [IncomingMessage, ServerResponse][]>();
  function goOn(socket: Socket): void {
    const next = socket.destroyed ? undefined : pipelined.get(socket)?.shift();
    if (next) {
      respond(...next);
      return;
    }
    pipelined.delete(socket);
    if (socket.isPaused()) socket.resume();
  }
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const before = pipelined.get(socket);
    if (before === undefined) {
      pipelined.set(socket, []);
      respond(request, response);
    } else {
      // node:http begins all pipelined requests at once, and would hold all their replies.
      before.push([request, response]);
      socket.pause();
    }
  });
  server.on('connect', (_request, socket: Socket) => {
    socket.on('error', () => socket.destroy());
    refuse(socket, noMethod);
  });
  server.on('clientError', (error: ClientError, socket: Socket) => {
    const { code } = error;
    if (closing.has(socket)) socket.end();
    else if (!socket.writable || code === 'ECONNRESET' || code === 'ERR_HTTP_REQUEST_TIMEOUT')
      socket.destroy();
    else refuse(socket, refusedBytesOf(error));
  });

  await new Promise<void>((resolve, reject) => {
    const { address, port } = options.listen;
    server.once('error', (error) => reject(listenRefusal(address, port, error)));
    server.listen({ host: address, port, backlog }, resolve);
  });
  const bound = process.hrtime.bigint();
  process.on('SIGTERM', () => process.exit(0));
  const { address, port } = server.address() as AddressInfo;
  announce({
    mode: served.mode,
    address,
    port,
    module: served.module,
    phases: { ...served.phases, bound, listening: process.hrtime.bigint() },
  });
}
