/**
 * A server that is hard to get rid of: it serves from a grandchild in a session of its own whose parent has ended, and that
 * does not hear SIGTERM. port, address, mark, role.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const [port, address, mark, role] = process.argv.slice(2);

if (role === 'served') {
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.on(signal, () => {});
  createServer((_request, response) => response.end('still here')).listen(Number(port), address);
} else {
  const next = role === 'between' ? 'served' : 'between';
  const args = [fileURLToPath(import.meta.url), port!, address!, mark!, next];
  spawn(process.execPath, args, { detached: true, stdio: 'ignore' }).unref();
}
