/**
 * Stands in for server, idle holder and load client where the logic of runs is tested: it speaks their lines over real
 * connections, but its figures are made up. Arguments: role, the fault that makes it misbehave, a file with the figures, then
 * the real program's. Dozens are started for a run, so it loads no schema, and what it says is handed to it.
 */
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { LoadResult } from '../../src/contract/load.js';
import type { Hello, SnapshotBody } from '../../src/contract/server.js';
import { duration, hostPort } from '../../src/options.js';

export interface FakeFigures {
  hello: Hello;
  snapshot: SnapshotBody;
  results: Record<'closed' | 'open', LoadResult>;
}

const [role, fault, figuresFile, ...args] = process.argv.slice(2);
const text = { type: 'string' } as const;
const { values: options } = parseArgs({
  args,
  strict: false,
  options: {
    impl: text,
    backend: text,
    io: text,
    cpu: text,
    target: text,
    connections: text,
    rate: text,
    duration: text,
    warmup: text,
  },
}) as { values: Record<string, string | undefined> };
const say = (line: object) => console.log(JSON.stringify(line));
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const milliseconds = (value: string | undefined) => duration(value!) / 1e6;
const control = createInterface({ input: process.stdin });
control.on('close', () => process.exit(0));
const figures: FakeFigures = JSON.parse(readFileSync(figuresFile!, 'utf8'));

function server() {
  const started = process.hrtime.bigint();
  const sockets = new Set<Socket>();
  let most = 0;
  const listener = createServer((socket) => {
    sockets.add(socket);
    most = Math.max(most, sockets.size);
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
      ...figures.snapshot,
      event: 'snapshot',
      id: line.slice('snapshot '.length),
      monotonicNs,
      requests: Math.round(monotonicNs / 1e4),
      connections: sockets.size,
      cpu: { userUs: (monotonicNs / 1000) * 0.35, systemUs: (monotonicNs / 1000) * 0.6 },
    });
    // Between two windows.
    if (fault === 'killed' && sockets.size < most) process.kill(process.pid, 'SIGKILL');
  });
  listener.listen(0, '127.0.0.1', () => {
    say({
      ...figures.hello,
      // Native programs need not be told what they are.
      impl: options.impl ?? 'native',
      backend: fault === 'other-backend' ? 'kqueue' : options.backend,
      io: options.io ?? null,
      port: (listener.address() as { port: number }).port,
      cpuAffinity: options.cpu!.split(',').map(Number),
    });
  });
}

function idle() {
  const target = hostPort(options.target!);
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
    connect(target, async () => {
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
  const rate = options.rate === undefined ? null : Number(options.rate);
  const durationMs = milliseconds(options.duration);
  const result = figures.results[rate === null ? 'closed' : 'open'];
  const target = hostPort(options.target!);
  const asked = Number(options.connections);
  let standing = 0;
  const sockets = Array.from({ length: asked }, () =>
    connect(target, () => {
      if (++standing === asked) say({ event: 'connected', connections: asked, elapsedNs: 1 });
    }),
  );
  control.once('line', async () => {
    await pause(milliseconds(options.warmup));
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
