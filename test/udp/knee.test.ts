import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/addon.js';
import type { DatagramResult } from '../../src/contract/dgram.js';
import { openLocal } from '../../src/hosts/local.js';
import { clientLimits, measurement, measureRepetition } from '../../src/knee/measure.js';
import type { Knee } from '../../src/knee/search.js';

const cli = (...args: string[]) =>
  promisify(execFile)(process.execPath, [resolve(packageRoot, 'bin/dispatchbench.js'), ...args]);

const tries = 3;

/** Searches for a loss-free rate at `port`; null when this machine is too busy to tell. */
async function lossFree(port: number, low: number, high: number): Promise<Knee | null> {
  for (let attempt = 1; attempt <= tries; attempt++) {
    const knee = await search(port, low, high);
    if (knee.verdict !== 'client') return knee;
  }
  return null;
}

async function search(port: number, low: number, high: number): Promise<Knee> {
  const { stdout } = await cli(
    ...['knee', '--protocol', 'udp-echo', '--target', `127.0.0.1:${port}`, '--json', '--slo', 'loss=0'],
    ...['--low', `${low}`, '--high', `${high}`, '--tolerance', '0.6', '--max-probes', '9'],
    ...['--duration', '200ms', '--warmup', '0ms', '--timeout', '100ms'],
  ).catch((fault: { stdout: string }) => fault);
  return JSON.parse(stdout);
}
const roles = await openLocal();
after(() => roles.close());
const tooBusy = 'the machine is too busy for the client to keep its schedule';

const latency = { count: 990, min: 1, mean: 2, p50: 2, p90: 3, p95: 3, p99: 4, p999: 5, p9999: 5, max: 5 };
/** 1000 datagrams due in a second, 990 answered; what the ledger says of the others is each case's own. */
const result = (more: object, ledger: object): DatagramResult =>
  ({
    protocol: 'udp-echo',
    requests: 1000,
    replies: 990,
    windowNs: 1e9,
    offeredRate: 1000,
    latency,
    sendLag: { ...latency, p99: 1000 },
    corrupted: 3,
    client: { busyShare: 0.5 },
    ...{ lost: 10, foreign: 0, sendErrors: 0, loss: { clientSocket: 0 } },
    ...more,
    ...ledger,
  }) as unknown as DatagramResult;

test('the loss of datagrams is that of their ledger', () => {
  const { loss, errors, achieved } = measurement(result({}, { foreign: 5 }), 1000);
  assert.deepEqual([loss, errors, achieved], [0.01, 0.015, 0.99]);
});

for (const [name, limited, serverBusy, reason] of [
  ['a sound client', result({}, {}), 0.5, null],
  ['its own sockets overflowed', result({}, { loss: { clientSocket: 7 } }), 1, /^7 replies overflowed/],
  ['it sent too few', result({ requests: 980 }, {}), 1, /^only 98 % of the datagrams due were sent/],
  ['it sent late', result({ sendLag: { ...latency, p99: 2e6 } }, {}), 1, /2\.0 ms late/],
  ['it was busy', result({ client: { busyShare: 0.9 } }, {}), 0.5, /busy 90 %/],
  ['it was busy beside an unknown server', result({ client: { busyShare: 0.9 } }, {}), null, /busy 90 %/],
  ['it was busy beside a server at its limit', result({ client: { busyShare: 0.9 } }, {}), 0.95, null],
] as const)
  test(`whose limit was it? ${name}`, () => {
    const reasons = clientLimits(limited, serverBusy);
    assert.equal(reasons.length, reason ? 1 : 0, reasons.join());
    if (reason) assert.match(reasons[0]!, reason);
  });

for (const protocol of ['udp-echo', 'tcp-echo', 'http'] as const)
  test(`a repetition against a fresh server of ours: ${protocol}`, async () => {
    const ports = protocol === 'udp-echo' ? { ports: 3 } : {};
    const { measured } = await measureRepetition(
      {
        protocol,
        target: { kind: 'dispatch', protocol, impl: 'native', backend: 'poll', io: null, ...ports },
        ...{ connections: 2, durationS: 0.3, warmupS: 0, timeoutS: 2, path: '/', cpus: null },
      },
      100,
      { roles, signal: new AbortController().signal },
    );
    assert.deepEqual([measured.loss, measured.errors], [0, 0]);
    assert.ok(measured.p50 > 0 && measured.p50 <= measured.max, `${measured.p50} ns`);
  });

/** Answers 100 datagrams in every 100 ms, and no more: its loss-free rate is 1000/s on any machine that keeps up. */
const server = createSocket('udp4');
let left = 100;
const refill = setInterval(() => {
  left = 100;
}, 100);
server.on('message', (datagram, from) => {
  if (left-- > 0) server.send(datagram, from.port, from.address);
});
server.bind(0, '127.0.0.1');
await once(server, 'listening');
after(() => {
  clearInterval(refill);
  server.close();
});

test('the highest loss-free rate of a server that drops what is beyond 1000/s', async (t) => {
  const knee = await lossFree(server.address().port, 250, 16_000);
  if (!knee) return t.skip(tooBusy);
  assert.deepEqual(knee.limiting, [{ term: 'loss=0', share: 1 }]);
  assert.ok(knee.interval!.low < 1600 && knee.interval!.high > 600, JSON.stringify(knee.interval));
});

test('a closed port loses everything, and the lowest rate is too much', async (t) => {
  const closed = createSocket('udp4').bind(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address();
  closed.close();
  await once(closed, 'close');
  const knee = await lossFree(port, 100, 200);
  if (!knee) return t.skip(tooBusy);
  assert.equal(knee.verdict, 'below');
});

test('ports are those of datagrams', async () => {
  await assert.rejects(cli('knee', '--target', '127.0.0.1:1', '--ports', '2'), /udp-echo only/);
});
