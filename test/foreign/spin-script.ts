/**
 * A server that starts a process for every request, as CGI does: the child uses up so much CPU, tells how much in all,
 * and ends; that is the reply. port, address, mark.
 */
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const [role, port, address] = process.argv.slice(2);
const spinMs = 150;

if (role === 'child') {
  const used = () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  };
  const end = used() + spinMs * 1000;
  while (used() < end) Math.sqrt(end);
  console.log(used());
} else {
  createServer((socket) => {
    socket.once('data', () => {
      execFile(process.execPath, [fileURLToPath(import.meta.url), 'child'], (_error, stdout) =>
        socket.end(stdout),
      );
    });
  }).listen(Number(port), address);
}
