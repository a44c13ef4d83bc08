import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import {
  noFailures,
  type SessionResult,
  type SessionSpec,
  sessionResult,
  totalFailures,
} from '../../src/contract/ramp.js';
import { Child } from '../../src/hosts/child.js';
import { startHere } from '../../src/hosts/local.js';
import { commandOf } from '../../src/hosts/program.js';
import { decodeHistogram } from '../../src/load/histogram.js';
import { monotonicNs } from '../../src/process.js';
import { sessionProgram } from '../../src/programs/session.js';
import { prepareStep } from '../../src/ramp/client.js';
import { mergeResults } from '../../src/ramp/merge.js';

const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
};

/** A server for one test; its connections end with it. */
async function serving(listener: RequestListener, run: (port: number) => Promise<void>): Promise<void> {
  const server = createServer(listener);
  try {
    await run(await listening(server));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function servingTcp(connection: (socket: Socket) => void, run: (port: number) => Promise<void>) {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    connection(socket);
  });
  try {
    await run(await listening(server));
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

const spec = (port: number, more: Partial<SessionSpec> = {}): SessionSpec => ({
  host: '127.0.0.1',
  port,
  uri: '/',
  rate: 200,
  connections: 40,
  calls: 5,
  timeoutMs: 5000,
  sampleMs: 50,
  arrival: 'fixed',
  cpus: [],
  ...more,
});

async function measure(asked: SessionSpec, kind: 'session' | 'httperf' = 'session'): Promise<SessionResult> {
  const step = prepareStep({ kind, spec: asked }, startHere);
  await step.ready;
  step.start(monotonicNs());
  return step.result;
}

test('every connection makes its calls, and every reply is counted by its status', async () => {
  let served = 0;
  const paths = new Set<string>();
  await serving(
    (request, response) => {
      paths.add(request.url ?? '');
      served += 1;
      response.statusCode = served % 5 === 0 ? 404 : 200;
      response.end('hello');
    },
    async (port) => {
      const result = await measure(spec(port, { uri: '/a?b=1' }));
      assert.equal(result.connections, 40);
      assert.equal(result.requests, 200);
      assert.equal(result.replies, 200);
      assert.deepEqual(result.status, [0, 160, 0, 40, 0]);
      assert.equal(totalFailures(result.failures), 0);
      assert.equal(served, 200);
      assert.deepEqual([...paths], ['/a?b=1']);
      const { detail } = result;
      assert.equal(detail!.response.count, 200);
      assert.equal(detail!.connect.count, 40);
      assert.equal(detail!.startLag.count, 40);
      // 40 connections at 200 per second: the last starts 195 ms after the first, none of them early.
      assert.ok(result.durationS >= 0.195);
      assert.ok(detail!.startLag.min >= 0);
      assert.equal(detail!.replySamples.length, Math.floor(result.durationS / 0.05));
    },
  );
});

test('a step starts at the instant it is told, and no earlier', async () => {
  await serving(
    (_, response) => response.end('x'),
    async (port) => {
      const step = prepareStep({ kind: 'session', spec: spec(port) }, startHere);
      await step.ready;
      const at = monotonicNs() + 150e6;
      step.start(at);
      const { detail } = await step.result;
      assert.equal(detail!.dueAtNs, at);
      assert.ok(detail!.startedAtNs >= at);
    },
  );
});

test('several load threads are one client: all connections and calls, and a step that starts once', async () => {
  await serving(
    (_, response) => response.end('hello'),
    async (port) => {
      const asked = spec(port, { rate: 15_000, connections: 41, calls: 10 });
      const step = prepareStep({ kind: 'session', spec: asked }, startHere, { cores: 3 });
      await step.ready;
      const atNs = monotonicNs() + 50e6;
      step.start(atNs);
      const { connections, replies, failures, cpu, detail } = await step.result;
      assert.deepEqual([connections, replies, failures], [41, 410, noFailures()]);
      assert.equal(detail!.response.count, 410);
      assert.equal(detail!.dueAtNs, atNs);
      assert.ok(detail!.startedAtNs >= atNs);
      assert.ok(cpu.userS + cpu.systemS > 0);
    },
  );
});

test('response time is that of a known delay; a step counts as long as its slowest reply', async () => {
  await serving(
    (_, response) => void setTimeout(() => response.end('x'), 100),
    async (port) => {
      const result = await measure(spec(port, { calls: 2 }));
      assert.equal(result.replies, 80);
      // Timers of Node are never early; 1 % of resolution for the histogram.
      assert.ok(result.detail!.response.min >= 99e6, `min ${result.detail!.response.min}`);
      assert.ok(result.responseMs >= 99);
      assert.ok(result.maxConcurrent > 1);
    },
  );
});

// One row for each of httperf's kinds that a server or this machine can be made to cause.
const failing: [
  string,
  (run: (port: number) => Promise<void>) => Promise<void>,
  Partial<SessionSpec>,
  object,
][] = [
  [
    'a server that never answers: client-timo',
    (run) => servingTcp(() => {}, run),
    { timeoutMs: 200 },
    { 'client-timo': 40 },
  ],
  [
    'a server that closes with a reset: connreset',
    (run) => servingTcp((socket) => void socket.once('data', () => socket.resetAndDestroy()), run),
    {},
    { connreset: 40 },
  ],
  [
    'a server that closes without a reply: connreset',
    (run) => servingTcp((socket) => void socket.once('data', () => socket.destroy()), run),
    {},
    { connreset: 40 },
  ],
  [
    'a server that speaks something else: other',
    (run) => servingTcp((socket) => void socket.on('data', () => socket.write('SSH-2.0-x\r\n')), run),
    {},
    { other: 40 },
  ],
  [
    'nobody listens: connrefused',
    async (run) => {
      const server = createTcpServer();
      const port = await listening(server);
      await new Promise((resolve) => server.close(resolve));
      await run(port);
    },
    {},
    { connrefused: 40 },
  ],
];
for (const [name, serve, more, expected] of failing)
  test(`failures by httperf's kinds: ${name}`, () =>
    serve(async (port) => {
      const result = await measure(spec(port, more));
      assert.deepEqual(result.failures, { ...noFailures(), ...expected });
      assert.equal(result.replies, 0);
    }));

test('httperf counts the same kinds on the same servers', async (t) => {
  try {
    execFileSync('httperf', ['--version'], { stdio: 'ignore' });
  } catch {
    return t.skip('httperf is not installed');
  }
  await serving(
    (_, response) => response.end('hello'),
    async (port) => {
      const result = await measure(spec(port), 'httperf');
      assert.equal(result.replies, 200);
      assert.deepEqual(result.status, [0, 200, 0, 0, 0]);
    },
  );
  await failing[4]![1](async (port) => {
    const { failures } = await measure(spec(port), 'httperf');
    assert.deepEqual(failures, { ...noFailures(), connrefused: 40 });
  });
});

test('too few descriptors: fd-unavail, and the client says that it was the limit', async (t) => {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' });
  } catch {
    return t.skip('prlimit (util-linux) is not installed');
  }
  await servingTcp(
    () => {},
    async (port) => {
      const program = sessionProgram(spec(port, { timeoutMs: 1500, rate: 1000, connections: 200 }));
      const { command, args } = commandOf(program);
      const child = new Child('client', { command: 'prlimit', args: ['--nofile=128:128', command, ...args] });
      await child.expect('ready', 20_000);
      child.send(`start ${monotonicNs()}`);
      const result = sessionResult.parse(await child.expect('result', 30_000));
      await child.end(500);
      assert.ok(result.failures['fd-unavail'] > 0);
      assert.equal(totalFailures(result.failures), 200);
      assert.ok(result.detail!.saturation.some((reason) => /found no descriptors/.test(reason)));
    },
  );
});

test('a client dies with its parent’s control channel', async () => {
  await servingTcp(
    () => {},
    async (port) => {
      const child = startHere('client', sessionProgram(spec(port)));
      await child.expect('ready', 20_000);
      child.send(`start ${monotonicNs()}`);
      const ended = assert.rejects(child.expect('result', 60_000), /ended with code 0/);
      await child.end(10_000);
      await ended;
    },
  );
});

test('an unknown host is one sentence', async () => {
  await assert.rejects(
    measure(spec(80, { host: 'no-such-host.invalid' })),
    /'no-such-host.invalid' cannot be resolved/,
  );
});

/** A result whose response times are these, nanoseconds. */
function resultOf(times: number[], samples: number[]): SessionResult {
  const histogram = build({
    bitBucketSize: 64,
    highestTrackableValue: 3_600_000_000_000,
    numberOfSignificantValueDigits: 3,
  });
  for (const time of times) histogram.recordValue(time);
  const latency = {
    count: times.length,
    min: 0,
    mean: 0,
    stddev: 0,
    p50: 0,
    p90: 0,
    p95: 0,
    p99: 0,
    p999: 0,
    p9999: 0,
    max: 0,
    histogram: encodeIntoCompressedBase64(histogram),
  };
  return {
    event: 'result',
    client: 'native',
    connections: 1,
    requests: times.length,
    replies: times.length,
    durationS: 10,
    maxConcurrent: 1,
    connectMs: 1,
    responseMs: 1,
    transferMs: 1,
    replyRate: { min: 0, avg: 0, max: 0, stddev: 0, samples: samples.length, intervalS: 2 },
    status: [0, times.length, 0, 0, 0],
    netKBps: 1,
    failures: { ...noFailures(), 'client-timo': 1 },
    cpu: { userS: 0, systemS: 0 },
    detail: {
      response: latency,
      connect: latency,
      startLag: latency,
      replySamples: samples,
      startedAtNs: 5,
      dueAtNs: 4,
      busyShare: 0.1,
      spinShare: 0,
      bytesIn: 0,
      bytesOut: 0,
      saturation: [],
    },
  };
}

test('merged percentiles are those of the pooled raw data, whatever the sizes of the parts', () => {
  const parts = [
    Array.from({ length: 10_000 }, (_, i) => 1e5 + i * 10),
    Array.from({ length: 100 }, (_, i) => 5e7 + i * 1e5),
    Array.from({ length: 3 }, () => 2e9),
  ];
  const merged = mergeResults(parts.map((times) => resultOf(times, [10, 20, 30])));
  const pooled = parts.flat().sort((a, b) => a - b);
  const { response } = merged.detail!;
  assert.equal(response.count, pooled.length);
  for (const [percent, value] of [
    [50, response.p50],
    [99, response.p99],
    [99.9, response.p999],
    [100, response.max],
  ] as const) {
    const truth = pooled[Math.ceil((percent / 100) * pooled.length) - 1]!;
    assert.ok(Math.abs(value / truth - 1) < 0.001, `p${percent}: ${value} against ${truth}`);
  }
  const mean = pooled.reduce((sum, value) => sum + value, 0) / pooled.length;
  assert.ok(Math.abs((merged.responseMs * 1e6) / mean - 1) < 0.001);
  assert.equal(decodeHistogram(response.histogram).totalCount, pooled.length);
  // Samples add up instant by instant: 30, 60, 90 replies in 2 s each.
  assert.deepEqual(merged.replyRate, { min: 15, avg: 30, max: 45, stddev: 15, samples: 3, intervalS: 2 });
  assert.equal(merged.failures['client-timo'], 3);
  assert.throws(() => mergeResults([]), RangeError);
});
