/** The datagram echo on Node's own dgram module: the outer reference. One socket per port, one send per datagram. */
import { createSocket, type Socket } from 'node:dgram';
import { type AddressInfo, BlockList, isIP, isIPv6 } from 'node:net';
import type { ServerOptions } from './options.js';
import type { Statistics } from './statistics.js';

const lowestPort = 10_240;
const highestPort = 32_767;
const ranges = 64;

function bindOne(options: ServerOptions, port: number): Promise<Socket> {
  const { address, receiveBuffer } = options;
  const type = isIPv6(address) ? 'udp6' : 'udp4';
  const socket = createSocket({
    type,
    ...(receiveBuffer > 0 ? { recvBufferSize: receiveBuffer } : {}),
    // Senders' addresses are numeric: Node would look each up again for every reply.
    lookup: (host, _options, done) => done(null, host, type === 'udp6' ? 6 : 4),
  });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ port, address, exclusive: true }, () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

async function bindRange(options: ServerOptions, first: number): Promise<Socket[]> {
  const bound: Socket[] = [];
  try {
    for (let offset = 0; offset < options.ports; offset++) {
      bound.push(await bindOne(options, first === 0 ? 0 : first + offset));
    }
    return bound;
  } catch (error) {
    for (const socket of bound) socket.close();
    throw error;
  }
}

/** A given range, or a free one below the ephemeral ports, as the native servers choose it. */
async function bindPorts(options: ServerOptions): Promise<Socket[]> {
  const { port, ports } = options;
  if (port + ports - 1 > 65_535) {
    throw new Error('the last port would be above 65535: choose a lower --port');
  }
  if (port === 0 && ports > highestPort - lowestPort) {
    throw new Error('too many --ports to find a free range: give --port too');
  }
  for (let tries = 1; ; tries++) {
    const first =
      port !== 0 || ports === 1
        ? port
        : lowestPort + Math.floor(Math.random() * (highestPort - lowestPort - ports));
    try {
      return await bindRange(options, first);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (first === port || code !== 'EADDRINUSE' || tries === ranges) {
        throw new Error(`cannot bind ${ports} UDP ports from ${first} on ${options.address}: ${code}`);
      }
    }
  }
}

/** @throws Error with one sentence on the first network that is none */
function allowed(networks: string): BlockList | null {
  if (networks === '') return null;
  const list = new BlockList();
  for (const network of networks.split(',')) {
    const [address = '', width, ...more] = network.split('/');
    const version = isIP(address);
    if (version === 0 || more.length > 0) {
      throw new Error(`'${network}' is not a network: write it as 10.0.0.0/8`);
    }
    const bits = version === 6 ? 128 : 32;
    // The number of nothing is 0, and a network of width 0 is the whole world.
    const given = width === undefined ? bits : /^\d+$/.test(width) ? Number(width) : Number.NaN;
    if (!(given <= bits)) throw new Error(`'${network}' is not a network: at most /${bits} here`);
    list.addSubnet(address, given, version === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** Senders that would answer the answer, by the rules of native/servers/loop_guard.h. */
const replyingPorts = [7, 13, 17, 19, 37];

function loopGuard(first: AddressInfo, ports: number): (address: string, port: number) => boolean {
  const anyHost = first.address === '0.0.0.0' || first.address === '::';
  return (address, port) =>
    replyingPorts.includes(port) ||
    (port >= first.port && port < first.port + ports && (anyHost || address === first.address));
}

/** @returns address and first port */
export async function serveUdpLibuv(
  options: ServerOptions,
  statistics: Statistics,
): Promise<{ address: string; port: number }> {
  const list = allowed(options.allow);
  const bound = await bindPorts(options);
  const first = bound[0]!.address();
  const loops = loopGuard(first, bound.length);
  statistics.sockets = bound.length;
  for (const socket of bound) {
    socket.on('error', () => {}); // an ICMP error for an earlier reply
    socket.on('message', (datagram, { address, family, port }) => {
      statistics.bytesIn += datagram.length;
      if (loops(address, port) || (list && !list.check(address, family === 'IPv6' ? 'ipv6' : 'ipv4'))) {
        statistics.rejected++;
        return;
      }
      socket.send(datagram, port, address, (error) => {
        if (error) {
          statistics.unsent++;
          return;
        }
        statistics.requests++;
        statistics.bytesOut += datagram.length;
      });
    });
  }
  return first;
}
