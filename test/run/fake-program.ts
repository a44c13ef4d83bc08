/**
 * Stands in for server, idle holder and load client where the logic of runs is tested: it speaks their lines over real
 * connections, but its figures are made up. Arguments: role, then `name=value` pairs; `fault` makes it misbehave.
 */
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { syntheticSample } from '../support/samples.js';

const [role, ...pairs] = process.argv.slice(2);
const options = Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]));
const { fault = 'none' } = options;
const say = (line: object) => console.log(JSON.stringify(line));
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const nullable = (text: string) => (text === 'null' ? null : text);
const control = createInterface({ input: process.stdin });
control.on('close', () => process.exit(0));
const synthetic = syntheticSample({ cell: {}, cpuUs: 9.5 });

function server() {
  const started = process.hrtime.bigint();
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  control.on('line', (line) => {
    if (fault === 'dies') {
      console.error('a deliberate end');
      process.exit(7);
    }
    const monotonicNs = Number(process.hrtime.bigint() - started);
    // 100 000 requests a second at 9.5 µs each: 95 % busy.
    say({
      ...synthetic.windows.closed!.before,
      event: 'snapshot',
      id: line.slice('snapshot '.length),
      monotonicNs,
      requests: Math.round(monotonicNs / 1e4),
      connections: sockets.size,
      cpu: { userUs: (monotonicNs / 1000) * 0.35, systemUs: (monotonicNs / 1000) * 0.6 },
    });
  });
  listener.listen(0, '127.0.0.1', () => {
    say({
      ...synthetic.server,
      impl: options.impl,
      backend: fault === 'other-backend' ? 'kqueue' : options.backend,
      io: nullable(options.io!),
      port: (listener.address() as { port: number }).port,
      cpuAffinity: options.cpus!.split(',').map(Number),
    });
  });
}

function idle() {
  const { host, port } = options;
  const asked = Number(options.connections);
  let standing = 0;
  const status = () => ({
    asked,
    standing,
    reconnects: 0,
    failures: {},
    unexpectedBytes: 0,
    elapsedNs: 1,
    bytesPerConnection: 1,
  });
  for (let n = 0; n < asked; n++) {
    connect(Number(port), host!, async () => {
      standing++;
      if (standing < asked) return;
      // The server has accepted all only a moment later.
      await pause(100);
      say({ event: 'standing', ...status() });
    });
  }
  control.on('line', (line) => line === 'status' && say({ event: 'status', ...status() }));
}

function load() {
  const rate = nullable(options.rate!) === null ? null : Number(options.rate);
  const durationMs = Number(options.durationMs);
  const { load: result } = synthetic.windows[rate === null ? 'closed' : 'open']!;
  const asked = Number(options.connections);
  let standing = 0;
  const sockets = Array.from({ length: asked }, () =>
    connect(Number(options.port), options.host!, () => {
      if (++standing === asked) say({ event: 'connected', connections: asked, elapsedNs: 1 });
    }),
  );
  control.once('line', async () => {
    await pause(Number(options.warmupMs));
    say({ event: 'window-start', monotonicNs: 0 });
    await pause(durationMs);
    say({ event: 'window-end', monotonicNs: 0 });
    const replies = Math.round(((rate ?? 100_000) * durationMs) / 1000);
    const errors = { ...result.errors, mismatch: fault === 'errors' ? 1 : 0 };
    say({ ...result, windowNs: durationMs * 1e6, offeredRate: rate, requests: replies, replies, errors });
    for (const socket of sockets) socket.destroy();
    process.exit(0);
  });
}

({ server, idle, load })[role as 'server' | 'idle' | 'load']();
