/**
 * The same protocols on Node's own net module: the outer reference. Node chooses the mechanism, so the backend's name is
 * the one libuv uses on this system. There is no poller of ours, and no counters.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Farewell } from '../src/contract/server.js';
import { nodeBackend } from '../src/dispatch/registry.js';
import { descriptorLimit } from '../src/process.js';
import { ControlLines } from './control.js';
import { type Bound, helloOf } from './hello.js';
import { COMPLETE, HttpRequest, NEED_MORE, PROCEED } from './http-request.js';
import { answerTo, CONTINUE, refusalOf, responses } from './http-response.js';
import { sockets } from './io-desk.js';
import type { ServerOptions } from './options.js';
import { printLine, Statistics } from './statistics.js';
import { serveUdpLibuv } from './udp-libuv.js';

/** Sends, and stops reading while the kernel does not take it (backpressure). */
function write(socket: Socket, bytes: Buffer, statistics: Statistics): void {
  statistics.bytesOut += bytes.length;
  if (!socket.write(bytes)) {
    socket.pause();
    socket.once('drain', () => socket.resume());
  }
}

function echo(socket: Socket, statistics: Statistics): void {
  socket.on('data', (chunk: Buffer) => {
    statistics.requests++;
    statistics.bytesIn += chunk.length;
    write(socket, chunk, statistics);
  });
}

function http(socket: Socket, statistics: Statistics): void {
  const request = new HttpRequest();
  let over = false;
  socket.on('data', (chunk: Buffer) => {
    statistics.bytesIn += chunk.length;
    if (over) return; // our FIN is sent; what still comes is dropped
    const reply: Buffer[] = [];
    for (let at = 0; at < chunk.length && !over; at = request.taken) {
      const parsed = request.feed(chunk, at, chunk.length);
      if (parsed === COMPLETE) {
        statistics.requests++;
        reply.push(responses[answerTo(request)]!);
        over = !request.keepsAlive;
      } else if (parsed === PROCEED) {
        reply.push(responses[CONTINUE]!);
      } else if (parsed !== NEED_MORE) {
        statistics.rejected++;
        reply.push(responses[refusalOf(request.status)]!);
        over = true;
      }
    }
    if (reply.length > 0) write(socket, reply.length === 1 ? reply[0]! : Buffer.concat(reply), statistics);
    if (over) socket.end();
  });
}

/**
 * Explains once that connections are refused for want of descriptors. libuv turns them away itself and tells nobody, but
 * a system gives out the lowest free descriptor, so the highest one means that none is left.
 */
function explainLastDescriptor(server: Server): void {
  const last = descriptorLimit().soft - 1;
  const explain = (socket: Socket) => {
    if (descriptorOf(socket) < last) return;
    server.off('connection', explain);
    process.stderr.write(
      'dispatchbench: no descriptor is left (raise the limit: ulimit -n); libuv refuses connections now and counts none of them\n',
    );
  };
  server.on('connection', explain);
}

/** Node tells it nowhere else; -1 where it is missing. */
const descriptorOf = (holder: Socket | Server): number =>
  (holder as { _handle?: { fd?: number } })._handle?.fd ?? -1;

/** @returns where it listens */
async function listenTcp(options: ServerOptions, statistics: Statistics): Promise<Bound> {
  const serve = options.protocol === 'http' ? http : echo;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    statistics.accepted++;
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      statistics.closed++;
    });
    serve(socket, statistics);
  });
  server.maxConnections = options.maxConnections;
  server.on('drop', () => statistics.rejected++);
  explainLastDescriptor(server);

  const { address, port, backlog } = options;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`${address} port ${port} is in use: choose another port, or 0 for any free one`)
          : new Error(`cannot listen on ${address} port ${port}: ${error.message}`),
      ),
    );
    server.listen({ host: address, port, backlog }, resolve);
  });
  const descriptor = descriptorOf(server);
  const { address: host, port: bound } = server.address() as AddressInfo;
  return {
    address: host,
    port: bound,
    // where the descriptor is not known, what was asked for stands
    backlog: descriptor < 0 ? backlog : sockets.tcpBacklog(descriptor, backlog),
    congestionControl: descriptor < 0 ? '' : sockets.tcpWithoutPacing(descriptor),
  };
}

export async function serveLibuv(options: ServerOptions): Promise<void> {
  if (options.backend !== nodeBackend) {
    throw new Error(
      `libuv chooses its mechanism itself, here ${nodeBackend}: ask for --backend ${nodeBackend}, not '${options.backend}'`,
    );
  }
  const statistics = new Statistics();
  const udp = options.protocol === 'udp-echo';
  const bound = udp ? await serveUdpLibuv(options, statistics) : await listenTcp(options, statistics);

  const stop = (reason: Farewell['reason']) => {
    printLine(statistics.farewell(reason, null));
    process.exit(0);
  };
  const control = new ControlLines((id) => printLine(statistics.snapshot(id, null)));
  process.on('SIGTERM', () => stop('signal'));
  process.on('SIGINT', () => stop('signal'));
  if (options.control) {
    process.stdin.setEncoding('latin1');
    process.stdin.on('data', (text: string) => {
      control.take(text);
      if (control.reason !== null) stop(control.reason);
    });
    process.stdin.on('end', () => stop('end-of-control'));
    process.stdin.on('error', () => stop('end-of-control'));
  }
  printLine(helloOf(options, null, bound));
}
