/** Somebody's TCP echo server: port, address. */
import { createServer } from 'node:net';

const [port, address] = process.argv.slice(2);
createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
}).listen(Number(port), address);
