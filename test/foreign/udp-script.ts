/** Somebody's UDP echo server on consecutive ports, bound one after the other: first port, address, how many. */
import { createSocket } from 'node:dgram';

const [first, address, ports] = process.argv.slice(2);
for (let i = 0; i < Number(ports); i++) {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address));
  await new Promise<void>((resolve) => socket.bind(Number(first) + i, address, resolve));
}
