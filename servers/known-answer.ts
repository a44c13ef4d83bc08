/**
 * A server whose answers are known: an HTTP server that delays, stalls, loses or works in a way it is told to, measures
 * what it really did, and tells. The self-test compares that with what the clients report.
 *
 * It measures itself because a timer of a busy machine is late: the truth is what happened, not what was asked.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { behaviour, type Truth } from '../src/contract/selftest.js';
import { printLine, readControl } from '../src/control.js';
import { runProgram } from '../src/program.js';

const REPLY = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
const END_OF_REQUEST = '\r\n\r\n';
/** Timers of Node are late by up to a millisecond and more: the last of a delay is spun. */
const SPIN_MS = 2;

const now = (): number => Number(process.hrtime.bigint());
const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const middle = (values: readonly number[]): number => sorted(values)[values.length >> 1] ?? 0;

/** Work that no optimiser removes, because its result is used. */
let sink = 0;
function spin(rounds: number): void {
  for (let round = 0; round < rounds; round += 1) sink = (Math.imul(sink, 1664525) + 1013904223) | 0;
}

await runProgram('known-answer', async () => {
  const told = behaviour.parse(JSON.parse(process.argv[2] ?? '{}'));
  const delays: number[] = [];
  const acceptDelays: number[] = [];
  const arrivals: number[] = [];
  const waiting: { socket: Socket; cameNs: number }[] = [];
  let requests = 0;
  let answered = 0;
  let lost = 0;
  let stallNs = 0;
  let sleeping = false;

  const answer = (socket: Socket, cameNs: number): void => {
    spin(told.spinRounds);
    socket.write(REPLY);
    answered += 1;
    if (told.delayMs > 0) delays.push(now() - cameNs);
  };
  const serveWaiting = (): void => {
    sleeping = false;
    while (waiting.length > 0) {
      const { socket, cameNs } = waiting[0]!;
      const leftMs = told.delayMs - (now() - cameNs) / 1e6;
      if (leftMs > 0) {
        sleeping = true;
        if (leftMs > SPIN_MS) setTimeout(serveWaiting, leftMs - SPIN_MS);
        else setImmediate(serveWaiting);
        return;
      }
      waiting.shift();
      answer(socket, cameNs);
    }
  };
  const take = (socket: Socket): void => {
    const cameNs = now();
    requests += 1;
    if (arrivals.length < told.recordArrivals) arrivals.push(cameNs);
    if (requests === told.stallAfter) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, told.stallMs);
      stallNs = now() - cameNs;
    }
    if (told.loseEvery > 0 && requests % told.loseEvery === 0) {
      lost += 1;
      return;
    }
    if (told.delayMs > 0) {
      waiting.push({ socket, cameNs });
      if (!sleeping) serveWaiting();
    } else {
      answer(socket, cameNs);
    }
  };

  const server = createServer({ noDelay: true, pauseOnConnect: told.acceptDelayMs > 0 }, (socket) => {
    let pending = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1');
      for (let end = pending.indexOf(END_OF_REQUEST); end >= 0; end = pending.indexOf(END_OF_REQUEST)) {
        pending = pending.slice(end + END_OF_REQUEST.length);
        take(socket);
      }
    });
    if (told.acceptDelayMs === 0) return;
    const cameNs = now();
    setTimeout(() => {
      acceptDelays.push(now() - cameNs);
      socket.resume();
    }, told.acceptDelayMs);
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
    const began = process.cpuUsage();
    readControl(
      (text) => {
        if (text !== 'truth') return;
        const cpu = process.cpuUsage(began);
        const line: Truth = {
          event: 'truth',
          requests,
          answered,
          lost,
          delayP50Ns: middle(delays),
          delayMaxNs: sorted(delays).at(-1) ?? 0,
          stallNs,
          acceptDelayP50Ns: middle(acceptDelays),
          cpuUs: cpu.user + cpu.system,
          arrivalsNs: arrivals.map((at) => at - arrivals[0]!),
        };
        printLine(line);
      },
      () => process.exit(0),
    );
    const { port } = server.address() as AddressInfo;
    const line = { event: 'listening', port };
    printLine(line);
  });
});
