/** Somebody's TCP echo server that computes for half a millisecond on each request: port, address. */
import { createServer } from 'node:net';

const spinMs = 0.5;
const [port, address] = process.argv.slice(2);
createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => {
    const end = performance.now() + spinMs;
    while (performance.now() < end) Math.sqrt(end);
    socket.write(bytes);
  });
}).listen(Number(port), address);
