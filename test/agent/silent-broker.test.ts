/** A NATS server that accepts connections and says nothing, or falls silent later: nobody waits for it without end. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/addon.js';
import { connectNats } from '../../src/carriers/nats.js';
import { callOverNats } from '../../src/carriers/nats-link.js';
import { report } from '../../src/contract/agent.js';
import { openFleet } from '../../src/ramp/clients.js';
import { stopped } from '../support/stopped.js';
import { cleanups, line, natsServer, noBroker, run } from './broker.js';
import { httpServer } from './fleet-steps.js';

const bin = join(packageRoot, 'bin/dispatchbench.js');
const fleet = `silent${process.pid}`;

interface Said {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

/** What a command said and how it ended; one that never ends is ended, and shows by its signal. */
async function outcome(child: ChildProcess): Promise<Said> {
  let stderr = '';
  child.stderr!.on('data', (chunk) => {
    stderr += chunk;
  });
  const late = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(late);
  return { code, signal, stderr };
}

const dispatchbench = (...args: string[]) => run(process.execPath, [bin, ...args]);
const agent = (url: string) => dispatchbench('agent', '--name', 'x', '--nats', url, '--fleet', fleet);
const ramp = (url: string, port: number, rates = ['10', '10', '10']) =>
  dispatchbench(
    ...['ramp', '--host1', '127.0.0.1', '--port1', `${port}`, '--config', '/dev/null', '--timeout', '1'],
    ...['--low_rate', rates[0]!, '--high_rate', rates[1]!, '--rate_step', rates[2]!, '--num_conn', '100'],
    ...['--num_call', '1', '--clients', 'nats:x', '--nats', url, '--fleet', fleet],
  );

/** Listens, says this to everybody, and no more. @returns its address */
async function listener(greeting: string): Promise<string> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {}).resume();
    socket.write(greeting);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return `nats://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const greetings: [name: string, greeting: string, says: RegExp][] = [
  ['says nothing', '', /accepts connections and says nothing for 10 s: is it a NATS server/],
  ['stops within its greeting', 'INFO {"server_id":"x"', /accepts connections and says nothing for 10 s/],
  [
    'greets and does not answer',
    'INFO {"server_id":"x","version":"2.9.0","proto":1,"max_payload":1048576}\r\n',
    /cannot use the NATS server 127\.0\.0\.1:\d+: timeout/,
  ],
  ['is another kind of server', 'SSH-2.0-OpenSSH_9.2\r\n', /greets like no NATS server/],
  ['greets without end', 'INFO '.padEnd(200_000, 'x'), /greets like no NATS server/],
];

test('a broker that accepts and is silent: one sentence and exit code 1', { concurrency: 6 }, async (t) => {
  const ways: [string, (url: string) => ChildProcess][] = [
    ['an agent', agent],
    ['a ramp', (url) => ramp(url, 1)],
  ];
  const subtests = greetings.flatMap(([name, greeting, says]) =>
    ways.map(([who, start]) =>
      t.test(`${who}, and it ${name}`, async () => {
        const { code, stderr } = await outcome(start(await listener(greeting)));
        assert.equal(code, 1, stderr);
        assert.match(stderr, says);
        assert.match(stderr, /^dispatchbench: [^\n]+\n$/);
      }),
    ),
  );
  await Promise.all(subtests);
});

const skip = noBroker ?? (process.platform === 'linux' ? false : 'threads are seen to stop on Linux');

test('a broker that stops after the connection: no call waits for it without end', { skip }, async () => {
  const { url, server } = await natsServer('127.0.0.1');
  const connection = await connectNats({ url, fleet });
  try {
    await stopped(server.pid!);
    await assert.rejects(
      callOverNats(connection, fleet, ['x'], report),
      /the NATS server 127\.0\.0\.1:\d+ has not answered for 10 s/,
    );
  } finally {
    await connection.close();
    server.kill('SIGCONT');
  }
});

test('a broker that never takes the farewell: closing says so', { skip }, async () => {
  const { url, server } = await natsServer('127.0.0.1');
  await line(agent(url), /waiting on/);
  const members = await openFleet(['nats:x'], { url, fleet });
  await stopped(server.pid!);
  try {
    await assert.rejects(
      members.close(),
      /the NATS server 127\.0\.0\.1:\d+ has not taken our farewell within 2 s: agents wait 10 s for us/,
    );
  } finally {
    server.kill('SIGCONT');
  }
});

test('a broker that stops under a ramp and its agent: both end, and say why', { skip }, async () => {
  const { url, server } = await natsServer('127.0.0.1');
  const { port, close } = await httpServer('127.0.0.1');
  cleanups.push(close);
  const serving = agent(url);
  const agentEnd = outcome(serving);
  await line(serving, /waiting on/);
  const asking = ramp(url, port, ['100', '2000', '100']);
  const rampEnd = outcome(asking);
  await line(asking, /at 100\/s/);
  await stopped(server.pid!);
  try {
    const { code, stderr } = await rampEnd;
    assert.ok(code === 1 || code === 3, `${code}: ${stderr}`);
    assert.match(stderr, /x has been silent for 4 s/);
    serving.kill('SIGTERM');
    const ended = await agentEnd;
    assert.equal(ended.signal, null, 'it had to be killed');
    assert.equal(ended.code, 0, ended.stderr);
  } finally {
    server.kill('SIGCONT');
  }
});

test('an agent whose broker is gone for a silent one can be ended', { skip }, async () => {
  const { url, server } = await natsServer('127.0.0.1');
  const serving = agent(url);
  const end = outcome(serving);
  await line(serving, /waiting on/);
  server.kill('SIGKILL');
  await once(server, 'exit');
  const silent = createServer((socket) => void socket.on('error', () => {}).resume());
  silent.listen(Number(new URL(url).port), '127.0.0.1');
  try {
    await once(silent, 'connection');
    serving.kill('SIGTERM');
    const { code, signal, stderr } = await end;
    assert.equal(signal, null, 'it had to be killed');
    assert.equal(code, 0, stderr);
  } finally {
    silent.close();
  }
});
