/**
 * A server whose answers are known, for the self-test and the tests of clients: `known-answer BEHAVIOUR [ADDRESS]`, the
 * behaviour as JSON (src/contract/selftest.ts). It prints where it listens, tells the truth about its answers when a line
 * `truth` comes in, and ends when its stdin does.
 */
import { type AddressInfo, createServer } from 'node:net';
import { behaviour } from '../src/contract/selftest.js';
import { validated } from '../src/contract/validated.js';
import { printLine, readControl } from '../src/control.js';
import { runProgram } from '../src/program.js';
import { servedWith } from './known-faults.js';
import { TimedServer } from './known-timing.js';

await runProgram('known-answer', async () => {
  const [, , told = '{}', host = '127.0.0.1'] = process.argv;
  const asked = validated(behaviour, JSON.parse(told), 'the behaviour');
  const timed = asked.fault === null ? new TimedServer(asked) : null;
  const serve = asked.fault === null ? timed!.serve : servedWith[asked.fault];
  const pauseOnConnect = asked.acceptDelayMs > 0;
  const server = createServer({ noDelay: true, pauseOnConnect }, (socket) => {
    socket.on('error', () => {});
    serve(socket);
    // Also what nobody reads is taken from the wire, so that its end is seen.
    if (!pauseOnConnect) socket.resume();
  });
  server.listen({ port: 0, host, backlog: 4096 }, () => {
    readControl(
      (text) => {
        if (text !== 'truth') return;
        if (timed) printLine(timed.truth());
        else console.error('known-answer: a server with a fault tells nothing of itself');
      },
      () => process.exit(0),
    );
    const { port } = server.address() as AddressInfo;
    const line = { event: 'listening', port };
    printLine(line);
  });
});
