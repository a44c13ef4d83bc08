import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { packageRoot } from '../../src/addon.js';
import { DgramBenchmark } from '../../src/dgram-benchmark/benchmark.js';
import { attributeLoss, type KernelView, parseUdpSockets } from '../../src/dgram-benchmark/loss.js';
import { ServerProcess } from '../support/server-process.js';
import { stopped } from '../support/stopped.js';

const program = resolve(packageRoot, 'build/Release/dispatchbench-server');
const servers: ServerProcess[] = [];
after(() => {
  for (const server of servers) {
    server.child.kill('SIGCONT');
    server.kill();
  }
});

async function server(...args: string[]) {
  const process = new ServerProcess(program, ['--protocol', 'udp-echo', '--backend', 'poll', ...args]);
  servers.push(process);
  return { process, url: `127.0.0.1:${(await process.hello()).port}` };
}

/** Datagrams that full receive buffers of this machine have dropped. */
function bufferErrors(): number {
  const [names, values] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Udp: '))
    .map((line) => line.split(' '));
  return Number(values![names!.indexOf('RcvbufErrors')]);
}

const noLinux = existsSync('/proc/net/udp') ? false : 'this system has no /proc/net/udp';

describe('loss caused on purpose is found where it was caused', { skip: noLinux }, () => {
  test("a server's socket that is too small, while the server does not read", async () => {
    const { process, url } = await server('--receive-buffer', '4096');
    await stopped(process.child.pid!);
    const before = bufferErrors();
    const running = new DgramBenchmark({
      url,
      connections: 1,
      overallRate: 2000,
      duration: 0.5,
      timeout: 1,
    });
    while (bufferErrors() - before <= 600) await pause(5);
    process.child.kill('SIGCONT');
    const result = await running;
    assert.ok(result.lost > 500);
    assert.equal(result.loss.serverSocket, result.lost);
    assert.ok(result.loss.system!.rcvbufErrors >= result.lost);
    assert.ok(result.late === 0 && result.received > 0, 'what fitted the buffer was answered');
  });

  test('a stopped server', async () => {
    const { process, url } = await server();
    await stopped(process.child.pid!);
    const result = await new DgramBenchmark({
      url,
      connections: 1,
      overallRate: 200,
      duration: 0.2,
      timeout: 0.2,
    });
    assert.equal(result.received, 0);
    assert.equal(result.loss.serverUnread, 40);
  });

  test("a client's socket that is too small for a burst of replies", async (context) => {
    // Answers everything at once, so that the client cannot keep up reading.
    const burst = createSocket('udp4');
    context.after(() => burst.close());
    const kept: [Buffer, number][] = [];
    burst.on('message', (datagram, from) => {
      kept.push([datagram, from.port]);
      if (kept.length === 60) for (const [reply, port] of kept) burst.send(reply, port, '127.0.0.1');
    });
    burst.bind(0, '127.0.0.1');
    await once(burst, 'listening');
    let drops = 0;
    let lost = 0;
    // Whether a burst overflows is up to the scheduler: until one does.
    for (let tries = 0; tries < 20 && drops === 0; tries++) {
      kept.length = 0;
      const { loss, ...result } = await new DgramBenchmark({
        url: `127.0.0.1:${burst.address().port}`,
        connections: 1,
        overallRate: 60_000,
        amount: 60,
        duration: 5,
        size: 1400,
        receiveBuffer: 4096,
        timeout: 0.3,
      });
      drops = loss.clientSocket;
      lost = result.lost;
      assert.equal(loss.unexplained + loss.serverSocket, 0);
      if (drops > 0) assert.match(result.reasons.join(), /client's sockets were full/);
    }
    assert.ok(drops > 0);
    assert.equal(drops, lost);
  });
});

describe('attribution', () => {
  const view = (queued: number, drops: number): KernelView => ({
    server: new Map([[9, { queued, drops }]]),
    system: null,
  });
  const counts = {
    ...{ sent: 100, received: 60, late: 0, reordered: 0, duplicates: 0, corrupted: 0, truncated: 0 },
    ...{ unattributable: 0, foreign: 0, unreachable: 0, sendErrors: 0, sendStalls: 0 },
  };
  const none = {
    unreachable: 0,
    badReply: 0,
    clientSocket: 0,
    serverSocket: 0,
    serverUnread: 0,
    unexplained: 0,
  };
  const cases = [
    { name: 'nothing known', after: view(0, 5), expected: { unexplained: 40 } },
    {
      name: 'drops at the server since the start',
      after: view(0, 30),
      expected: { serverSocket: 25, unexplained: 15 },
    },
    {
      name: 'a full queue explains the rest',
      after: view(4096, 15),
      expected: { serverSocket: 10, serverUnread: 30 },
    },
    { name: 'drops of duplicates are no loss', after: view(0, 1000), expected: { serverSocket: 40 } },
    {
      name: 'every cause once',
      counts: { ...counts, unreachable: 5, corrupted: 4, truncated: 3 },
      clientDrops: 2,
      after: view(0, 6),
      expected: { unreachable: 5, badReply: 7, clientSocket: 2, serverSocket: 1, unexplained: 25 },
    },
  ];
  for (const { name, after, expected, counts: seen = counts, clientDrops = null } of cases) {
    test(name, () => {
      const { seen: _, system, ...causes } = attributeLoss({ counts: seen, clientDrops }, view(0, 5), after);
      assert.deepEqual(causes, { ...none, ...expected });
      assert.equal(system, null);
    });
  }

  test('/proc/net/udp is read by column', () => {
    const text =
      '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n' +
      ' 1234: 0100007F:2EE0 00000000:0000 07 00000000:00000300 00:00000000 00000000     0        0 54321 2 0000000000000000 17\n';
    assert.deepEqual(parseUdpSockets(text), [{ localPort: 12_000, queued: 768, drops: 17, inode: '54321' }]);
  });
});
