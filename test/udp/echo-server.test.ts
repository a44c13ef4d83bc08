import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { programPath } from '../../src/addon.js';
import { ioMode } from '../../src/contract/common.js';
import { listEngines } from '../../src/dispatch/completion.js';
import { listBackends, nodeBackend } from '../../src/dispatch/registry.js';
import { commandOf } from '../../src/hosts/program.js';
import { type ServerOptions, serverProgram } from '../../src/programs/server.js';
import { eventually } from '../servers/client.js';
import { forgeDatagram } from '../support/descriptors.js';
import { ServerProcess } from '../support/server-process.js';

const available = listBackends().filter((backend) => backend.available);
const raw = available.filter(({ name }) => ['select', 'poll', 'epoll', 'kqueue'].includes(name));

const names = available.map(({ name }) => name);
type Spec = Pick<ServerOptions, 'impl' | 'io' | 'backend' | 'engineOptions'>;
const implementations: { label: string; spec: Spec }[] = [
  ...names.map((backend) => ({ impl: 'native' as const, backend })),
  ...raw.map(({ name: backend }) => ({ impl: 'baseline' as const, backend })),
  ...names
    .filter((name) => !name.startsWith('epoll-batched'))
    .flatMap((backend) => ioMode.options.map((io) => ({ impl: 'ts' as const, io, backend }))),
  { impl: 'libuv' as const, backend: nodeBackend },
  ...listEngines()
    .filter(({ available }) => available)
    .flatMap(({ name: backend }) => [
      { impl: 'native' as const, backend },
      { impl: 'ts' as const, io: 'native' as const, backend },
      { impl: 'ts' as const, io: 'batch' as const, backend },
      { impl: 'ts' as const, io: 'batch' as const, backend, engineOptions: 'buffers=2,sqpoll' },
      { impl: 'native' as const, backend, engineOptions: 'zerocopy=1000,buffers=4' },
    ]),
].map((spec) => ({ label: Object.values(spec).join(' '), spec }));

const processes: ServerProcess[] = [];
after(() => {
  for (const server of processes) server.kill();
});

function start(command: string, ...args: string[]): ServerProcess {
  const server = new ServerProcess(command, args);
  processes.push(server);
  return server;
}

const startSpec = (spec: Spec, ...more: string[]) => {
  const { command, args } = commandOf(serverProgram({ protocol: 'udp-echo', ...spec }));
  return start(command, ...args, ...more);
};

/** Sends all messages at once and gives the replies, as [port, text], once as many are there. */
async function exchange(socket: Socket, messages: [number, Buffer][]): Promise<[number, Buffer][]> {
  const replies: [number, Buffer][] = [];
  const done = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${replies.length} of ${messages.length} replies`)),
      10_000,
    );
    socket.on('message', (message, from) => {
      replies.push([from.port, message]);
      if (replies.length < messages.length) return;
      clearTimeout(timer);
      resolve();
    });
  });
  for (const [port, message] of messages) socket.send(message, port, '127.0.0.1');
  await done;
  socket.removeAllListeners('message');
  return replies;
}

const key = ([port, message]: [number, Buffer]) =>
  `${port} ${message.length} ${message.toString('base64', 0, 30)}`;

const mayForge = { skip: process.getuid?.() === 0 ? false : 'forging a source port needs root' };

for (const { label, spec } of implementations) {
  describe(`udp-echo ${label}`, () => {
    const ports = 20;
    let server: ServerProcess;
    let first: number;
    before(async () => {
      server = startSpec(spec, '--ports', `${ports}`, '--datagram-budget', '8');
      const hello = await server.hello();
      assert.equal(hello.backend, spec.backend);
      assert.equal(hello.ports, ports);
      if (spec.impl !== 'libuv') assert.equal(hello.budgets?.datagrams, 8);
      first = hello.port;
    });
    /** What it says once it has taken so many. */
    const having = (datagrams: number) =>
      eventually(
        () => server.snapshot(),
        ({ requests, rejected }) => requests + rejected >= datagrams,
      );

    test('answers on every port, any size, more than a budget at once', async () => {
      const socket = createSocket('udp4');
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      const messages: [number, Buffer][] = [
        ...Array.from({ length: ports }, (_, i): [number, Buffer] => [first + i, Buffer.from(`port ${i}`)]),
        ...Array.from({ length: 50 }, (_, i): [number, Buffer] => [first + 3, Buffer.from(`burst ${i}`)]),
        [first + 19, Buffer.alloc(0)],
        [first + 7, Buffer.alloc(65_507, 'x')],
      ];
      const replies = await exchange(socket, messages);
      assert.deepEqual(replies.map(key).sort(), messages.map(key).sort());
      socket.close();
      const told = await having(messages.length);
      assert.equal(told.requests, messages.length);
      assert.equal(told.connections, ports);
      assert.equal(told.bytesIn, told.bytesOut);
      assert.equal(told.unsent, 0);
    });

    test('a sender that would answer the answer gets none', mayForge, async () => {
      const { requests, rejected } = await server.snapshot();
      forgeDatagram(first + 1, first, 'own port');
      forgeDatagram(7, first, 'echo service');
      forgeDatagram(first + ports, first, 'the port above');
      const told = await having(requests + rejected + 3);
      assert.deepEqual([told.rejected - rejected, told.requests - requests], [2, 1]);
    });

    test('says at its end what it has said before', async () => {
      const { requests, rejected } = await server.snapshot();
      const farewell = await server.stop();
      assert.equal(farewell.reason, 'stop');
      assert.deepEqual([farewell.requests, farewell.rejected], [requests, rejected]);
    });
  });
}

const server = programPath('dispatchbench-server');
const backend = raw.at(-1)!.name;

test('senders outside the allow-list are dropped and counted', async () => {
  const process = start(
    server,
    '--protocol',
    'udp-echo',
    '--backend',
    backend,
    '--allow',
    '10.0.0.0/8,127.0.0.0/31',
  );
  const { port } = await process.hello();
  const outside = createSocket('udp4');
  outside.bind(0, '127.0.0.2');
  await once(outside, 'listening');
  outside.on('message', () => assert.fail('an answer to a sender that is not allowed'));
  for (let i = 0; i < 5; i++) outside.send('not allowed', port, '127.0.0.1');
  const inside = createSocket('udp4');
  inside.bind(0, '127.0.0.1');
  await once(inside, 'listening');
  while ((await process.snapshot()).rejected < 5) await new Promise((next) => setTimeout(next, 5));
  assert.equal((await exchange(inside, [[port, Buffer.from('allowed')]])).length, 1);
  const farewell = await process.stop();
  assert.equal(farewell.rejected, 5);
  assert.equal(farewell.requests, 1);
  outside.close();
  inside.close();
});

const refusals: { name: string; args: string[]; says: RegExp }[] = [
  { name: 'an open address', args: ['--address', '0.0.0.0'], says: /not loopback.*--allow/ },
  { name: 'a network that is none', args: ['--allow', '10.0.0.0/33'], says: /not a network: at most \/32/ },
  {
    name: 'a network without its width',
    args: ['--allow', '10.0.0.0/'],
    says: /not a network: at most \/32/,
  },
  { name: 'a name as network', args: ['--allow', 'example'], says: /not a network/ },
  { name: 'a range past the last port', args: ['--port', '65530', '--ports', '10'], says: /above 65535/ },
  { name: 'more ports than a free range has', args: ['--ports', '30000'], says: /--ports|descriptors/ },
  { name: 'no budget', args: ['--datagram-budget', '0'], says: /--datagram-budget must be a number from 1/ },
];
const readers = [
  { impl: 'native' as const, backend },
  { impl: 'ts' as const, io: 'batch' as const, backend },
  { impl: 'libuv' as const, backend: nodeBackend },
];
for (const spec of readers) {
  for (const { name, args, says } of refusals) {
    test(`${spec.impl} refuses ${name} with one sentence, and ends`, async () => {
      const process = startSpec(spec, ...args);
      await assert.rejects(process.hello(), says);
      await process.ended();
    });
  }
}

test('more ports than descriptors are refused', async () => {
  const process = start(server, '--protocol', 'udp-echo', '--backend', backend, '--ports', '65535');
  await assert.rejects(process.hello(), /descriptors and the limit is/);
});

test('a port in use is named', async () => {
  const holder = createSocket('udp4');
  holder.bind(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address();
  await assert.rejects(
    start(server, '--protocol', 'udp-echo', '--backend', backend, '--port', `${port}`).hello(),
    /cannot bind UDP ports/,
  );
  holder.close();
});
