/** A gateway as small as can be: port, address and upstream; it tells of its start and forwards what is not `/`. */
import { createServer, get } from 'node:http';
import { monotonicNs } from '../../src/process.js';

const main = monotonicNs();
const [port, address, upstream] = process.argv.slice(2);
const server = createServer((request, response) => {
  if (request.url === '/' || request.url === '/health') response.end('hello');
  else if (request.url === '/refused') response.writeHead(502).end('refused');
  else get(`http://${upstream}${request.url}`, (reply) => reply.pipe(response));
});
server.listen(Number(port), address, () => {
  const listening = monotonicNs();
  const phases = { main, bound: listening, compiled: null, instantiated: null, listening };
  console.log('not a line of a contract');
  console.log(JSON.stringify({ event: 'gateway', name: 'stand-in', mode: null, module: null, phases }));
});
