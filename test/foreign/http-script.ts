/** Somebody's HTTP server: port, address. */
import { createServer } from 'node:http';

const [port, address] = process.argv.slice(2);
createServer((_request, response) => response.end('hello')).listen(Number(port), address);
