/**
 * Waits for a server to come up: asks again and again until the first valid reply; lines of src/contract/start.ts. A
 * request that finds nobody is tried anew at once, so that the instant of the first reply is known to a fraction of a
 * millisecond. It ends when its stdin does.
 */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Command, Option } from '@commander-js/extra-typings';
import type { Protocol } from '../src/contract/common.js';
import { protocols } from '../src/contract/names.js';
import { printLine, readControl } from '../src/control.js';
import { cpuList, type HostPort, hostPort, targetText } from '../src/options.js';
import { monotonicNs, setAffinity } from '../src/process.js';
import { runProgram } from '../src/program.js';
import { curl } from './curl-process.js';

/** A connection that is taken and not answered is given up after so long, milliseconds. */
const patienceMs = 1000;
/** The report's pause between two questions, milliseconds. */
const pollMs = 10;
/**
 * A question that is not answered by then gets another one beside it, milliseconds: a way that is only being made (a
 * container's) may swallow the first one, and the kernel would ask again after a second.
 */
const besideMs = 20;
/** A datagram may find no socket yet, and nothing tells: it is sent again so often. */
const datagramMs = 2;
const payload = Buffer.from('dispatchbench first reply');

type Ask = (target: HostPort) => Promise<boolean>;

/** @param whole whether what came so far is a whole valid reply; null: it cannot become one */
const overTcp =
  (request: (target: HostPort) => Buffer, whole: (received: Buffer) => boolean | null): Ask =>
  (target) =>
    new Promise((resolve) => {
      let received = Buffer.alloc(0);
      const socket = connect({ ...target, noDelay: true });
      const end = (answered: boolean) => {
        socket.destroy();
        resolve(answered);
      };
      socket.setTimeout(patienceMs, () => end(false));
      socket.on('connect', () => socket.write(request(target)));
      socket.on('error', () => end(false));
      socket.on('close', () => resolve(false));
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        const verdict = whole(received);
        if (verdict !== false) end(verdict === true);
      });
    });

/** Status line and headers say that it is a success; the body may be anything. */
function successful(received: Buffer): boolean | null {
  const text = received.toString('latin1');
  if (!text.includes('\r\n\r\n')) return false;
  return /^HTTP\/1\.[01] 2\d\d/.test(text) ? true : null;
}

const ask: Record<Protocol, Ask> = {
  'tcp-echo': overTcp(
    () => payload,
    (received) => (received.length < payload.length ? false : received.equals(payload) ? true : null),
  ),
  http: overTcp(
    (target) => Buffer.from(`GET / HTTP/1.1\r\nHost: ${targetText(target)}\r\nConnection: close\r\n\r\n`),
    successful,
  ),
  'udp-echo': ({ host, port }) =>
    new Promise((resolve) => {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      const end = (answered: boolean) => {
        clearTimeout(timer);
        socket.close();
        resolve(answered);
      };
      const timer = setTimeout(() => end(false), datagramMs);
      socket.on('error', () => {});
      socket.on('message', (datagram) => datagram.equals(payload) && end(true));
      socket.send(payload, port, host, () => {});
    }),
};

/**
 * As the report on gateways asks: `curl` for /health, and 10 ms later again, until it succeeds; then once for /.
 * @throws Error in one sentence where there is no curl
 */
async function askByCurl(target: HostPort): Promise<boolean> {
  const got = async (path: string) =>
    (await curl('-fsS', '-o', '/dev/null', `http://${targetText(target)}${path}`)) !== null;
  if ((await got('/health')) && (await got('/'))) return true;
  await pause(pollMs);
  return false;
}

const program = new Command('first-reply')
  .addOption(new Option('--protocol <protocol>', 'what to speak').choices(protocols).makeOptionMandatory())
  .requiredOption('--target <host:port>', 'the server to come', hostPort)
  .option('--curl', 'ask by a curl process every 10 ms, HTTP only', false)
  .option('--cpu <list>', 'CPUs of this process (1 or 0,2-3)', cpuList)
  .action(async ({ protocol, target, cpu, curl: byCurl }) => {
    if (byCurl && protocol !== 'http') throw new Error('--curl speaks HTTP only');
    if (cpu) setAffinity(cpu);
    readControl(
      () => {},
      () => process.exit(0),
    );
    for (let attempts = 1; ; attempts += 1) {
      const asked = (byCurl ? askByCurl : ask[protocol])(target).then((answered) => {
        if (!answered) return;
        printLine({ event: 'first-reply', monotonicNs: monotonicNs(), attempts } as { event: string });
        process.exit(0);
      });
      await (byCurl ? asked : Promise.race([asked, pause(besideMs)]));
      if (attempts === 1) printLine({ event: 'ready' });
      await pause(0);
    }
  });

await runProgram('first-reply', () => program.parseAsync());
