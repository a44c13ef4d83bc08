/**
 * Equal work: a small request costs one receive and one send on every server of ours, and a re-arm on one-shot ones; and
 * so does a lone datagram.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { responses } from '../../servers/http-response.js';
import type { Protocol } from '../../src/contract/common.js';
import type { DispatchHello, DispatchSnapshot } from '../../src/contract/server.js';
import { commandOf } from '../../src/hosts/program.js';
import { serverProgram } from '../../src/programs/server.js';
import { ServerProcess } from '../support/server-process.js';
import { connected, roundTrip } from './client.js';
import { engineKinds, type Kind, kinds, nameOf, oneOfEach, withServer } from './table.js';

const requests = 200;
const missing = spawnSync('strace', ['--version']).error ? 'strace is not installed' : false;
const polled = kinds.filter(({ impl }) => impl !== 'libuv');

interface Traced {
  hello: DispatchHello;
  snapshot: DispatchSnapshot;
  lines: readonly string[];
  /** lines of the trace that match */
  calls: (pattern: RegExp) => number;
}

/** Runs a server under strace while `ask` asks it, and counts what it called. */
async function traced(
  kind: Kind & { leastWait?: number },
  protocol: Protocol,
  names: string,
  ask: (port: number) => Promise<() => void>,
): Promise<Traced> {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-'));
  const trace = join(folder, 'trace');
  const { command, args } = commandOf(serverProgram({ ...kind, protocol }));
  const server = new ServerProcess('strace', ['-o', trace, '-e', `trace=${names}`, command, ...args]);
  try {
    const hello = await server.hello();
    const close = await ask(hello.port);
    const snapshot = await server.snapshot();
    close();
    const farewell = await server.stop();
    assert.equal(farewell.requests, requests);
    await server.ended();
    const lines = readFileSync(trace, 'utf8').split('\n');
    return { hello, snapshot, lines, calls: (pattern) => lines.filter((line) => pattern.test(line)).length };
  } finally {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Asks one at a time. */
async function overHttp(port: number): Promise<() => void> {
  const socket = await connected(port);
  for (let i = 0; i < requests; i++) {
    await roundTrip(socket, Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), responses[0]!.length);
  }
  return () => socket.destroy();
}

async function byDatagrams(port: number): Promise<() => void> {
  const socket = createSocket('udp4');
  for (let i = 0; i < requests; i++) {
    socket.send(`${i}`, port, '127.0.0.1');
    const [reply] = (await once(socket, 'message')) as [Buffer];
    assert.equal(reply.toString(), `${i}`);
  }
  return () => socket.close();
}

for (const kind of polled) {
  test(`system calls of ${requests} requests: ${nameOf(kind)}`, { skip: missing }, async () => {
    const { hello, snapshot, calls } = await traced(kind, 'http', 'recvfrom,sendto,epoll_ctl', overHttp);
    // The two more: the FIN of the client, and nothing else. A listener is not received from.
    assert.equal(calls(/^recvfrom\(.* = [1-9]/), requests, 'receives with bytes');
    assert.ok(
      calls(/^recvfrom\(/) <= requests + 1,
      `${calls(/^recvfrom\(/)} receives: one a request, one for the FIN`,
    );
    assert.equal(calls(/^sendto\(/), requests, 'sends');
    const { counters } = snapshot;
    if (counters === null) return;
    const rearms = hello.capabilities!.needsRearm ? requests : 0;
    assert.ok(counters.rearms >= rearms && counters.rearms <= rearms * 1.05, `${counters.rearms} re-arms`);
    // Listener, connection, and the two control channels come and go; re-arms and accepts are all that is left.
    assert.ok(calls(/^epoll_ctl\(/) <= counters.rearms + 12, `${calls(/^epoll_ctl\(/)} epoll_ctl`);
    assert.ok(counters.waits <= requests + 10, `${counters.waits} waits`);
  });

  test(`system calls of ${requests} lone datagrams: ${nameOf(kind)}`, { skip: missing }, async () => {
    const names = 'recvfrom,recvmsg,recvmmsg,sendto,sendmsg,sendmmsg,epoll_ctl';
    const { hello, snapshot, calls } = await traced(kind, 'udp-echo', names, byDatagrams);
    assert.equal(calls(/^recv(from|msg|mmsg)\(.* = [1-9]/), requests, 'receives with a datagram');
    assert.equal(calls(/^send(to|msg|mmsg)\(.* = [1-9]/), requests, 'sends with a datagram');
    assert.equal(calls(/^send/), requests, 'sends');
    // With one datagram a crossing, only an empty socket tells that there is no more.
    const empty = calls(/^recv/) - requests;
    if (kind.io === 'call') assert.ok(empty <= requests, `${empty} receives of nothing`);
    else assert.equal(empty, 0, 'receives of nothing');
    const { counters } = snapshot;
    if (counters === null) return;
    // What looks at the socket again may find the next datagram there, and serves it without an event of its own.
    const rearms = hello.capabilities!.needsRearm ? requests : 0;
    const least = kind.io === 'call' ? Math.min(1, rearms) : rearms;
    assert.ok(counters.rearms >= least && counters.rearms <= rearms * 1.05, `${counters.rearms} re-arms`);
    assert.ok(calls(/^epoll_ctl\(/) <= counters.rearms + 12, `${calls(/^epoll_ctl\(/)} epoll_ctl`);
    assert.ok(counters.waits <= requests + 10, `${counters.waits} waits`);
  });
}

const leastWait = 300;
const onPollers = oneOfEach.filter(({ impl }) => impl === 'native' || impl === 'ts');

for (const kind of onPollers) {
  test(`with a least wait each wait sleeps as long before it looks: ${nameOf(kind)}`, {
    skip: missing,
  }, async () => {
    const names = '?clock_nanosleep,?nanosleep,?epoll_pwait,?epoll_pwait2';
    const { hello, lines, snapshot } = await traced({ ...kind, leastWait }, 'http', names, overHttp);
    assert.equal(hello.leastWaitUs, leastWait);
    const sleeps = /nanosleep\(.*tv_sec=0, tv_nsec=300000\}/;
    const waits = lines.flatMap((line, at) =>
      line.startsWith(`${hello.capabilities!.waitCall}(`) && !line.includes('(-1') ? [at] : [],
    );
    assert.ok(waits.length >= snapshot.counters!.waits);
    // Node's own loop waits as well, with threads that are not traced: before there is a server and after it.
    const late = waits.filter((at) => sleeps.test(lines[at - 1]!));
    assert.ok(late.length >= snapshot.counters!.waits, `${late.length} of ${waits.length}`);
  });
}

test('who waits on none of our pollers refuses a least wait in one sentence', async () => {
  const others: Kind[] = [
    ...oneOfEach.filter((kind) => !onPollers.includes(kind)),
    ...engineKinds.filter(({ engineOptions }) => engineOptions === undefined),
  ];
  for (const kind of others)
    await assert.rejects(
      withServer(kind, 'http', async () => assert.fail('it serves'), { leastWait }),
      /--least-wait is of servers (on our pollers, and not of|that wait for readiness: an engine has)/,
    );
});

const enters = /^io_uring_enter\(/;

const asked: [protocol: Protocol, ask: typeof overHttp][] = [
  ['http', overHttp],
  ['udp-echo', byDatagrams],
];
const onEngines = engineKinds
  .filter(({ engineOptions }) => engineOptions === undefined)
  .flatMap((kind) => asked.map(([protocol, ask]) => ({ kind, protocol, ask })));

for (const { kind, protocol, ask } of onEngines) {
  test(`${requests} of ${protocol} on an engine are enters and nothing else: ${nameOf(kind)}`, {
    skip: missing,
  }, async () => {
    const names = 'io_uring_enter,recvfrom,sendto,recvmsg,sendmsg,accept4,epoll_wait,epoll_ctl,shutdown';
    const { snapshot, lines, calls } = await traced(kind, protocol, names, ask);
    const { waits, changeCalls, events, rawEvents, changes, submissions, stale } = snapshot.counters!;
    // One to try the ring out; a request's receive completes in one, which sends its reply in the next.
    assert.ok(waits + changeCalls >= requests && waits + changeCalls <= requests + 12, `${waits} waits`);
    assert.equal(changeCalls, 0, 'nothing was handed over early');
    // The snapshot came over the control channel, and of streams a connection was accepted.
    const more = protocol === 'http' ? 2 : 1;
    assert.ok(events >= requests + more && events <= rawEvents, `${events} of ${rawEvents}`);
    assert.equal(changes, 0, 'nobody asks for interest');
    assert.ok(submissions >= requests && submissions <= requests + 8, `${submissions} submissions`);
    const handedOver = lines
      .map((line) => Number(/^io_uring_enter\(.* = (\d+)$/.exec(line)?.[1] ?? 0))
      .reduce((sum, entries) => sum + entries, 0);
    assert.ok(handedOver >= submissions && handedOver <= submissions + 8, `${handedOver} handed over`);
    assert.equal(stale, 0);
    // Node's own threads and the end come after the snapshot.
    assert.ok(
      calls(enters) >= waits && calls(enters) <= waits + 6,
      `${calls(enters)} enters, ${waits} counted`,
    );
    assert.equal(calls(/^(recvfrom|recvmsg|sendmsg|accept4)\(.*sin_port/), 0);
    assert.equal(calls(/^sendto\(\d+, "HTTP/), 0, 'sends');
  });
}
