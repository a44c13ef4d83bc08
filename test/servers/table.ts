/** Every server this system can run: implementation x io mode x backend. */
import type { BackendName, Protocol } from '../../src/contract/common.js';
import type { DispatchHello } from '../../src/contract/server.js';
import { listEngines } from '../../src/dispatch/completion.js';
import { listBackends, nodeBackend } from '../../src/dispatch/registry.js';
import { commandOf } from '../../src/hosts/program.js';
import { type ServerOptions, serverProgram } from '../../src/programs/server.js';
import { ServerProcess } from '../support/server-process.js';

const available = listBackends()
  .filter((probe) => probe.available)
  .map((probe) => probe.name);

const raw: readonly BackendName[] = ['select', 'poll', 'epoll', 'kqueue'];

export type Kind = Pick<ServerOptions, 'impl' | 'io' | 'backend' | 'engineOptions' | 'workers' | 'accept'>;

export const kinds: readonly Kind[] = [
  ...available.map((backend) => ({ impl: 'native', backend }) as const),
  ...available
    .filter((name) => raw.includes(name))
    .map((backend) => ({ impl: 'baseline', backend }) as const),
  ...(['call', 'batch', 'native'] as const).flatMap((io) =>
    available
      // Who crosses how often is seen on one of the triggers of io_uring.
      .filter((name) => io === 'batch' || !/^uring-poll-/.test(name))
      // How the set is told of changes is no matter of who asks for them.
      .filter((name) => !/^epoll-batched/.test(name))
      .map((backend) => ({ impl: 'ts', io, backend }) as const),
  ),
  { impl: 'libuv', backend: nodeBackend },
];

/** On completion engines: each implementation as it is, and the ways to use a ring. */
export const engineKinds: readonly Kind[] = listEngines()
  .filter((probe) => probe.available)
  .flatMap(({ name: backend }): Kind[] => [
    { impl: 'native', backend },
    { impl: 'ts', io: 'batch', backend },
    { impl: 'native', backend, engineOptions: 'direct,incremental' },
    { impl: 'native', backend, engineOptions: 'bundle,bytes=64' },
    { impl: 'ts', io: 'batch', backend, engineOptions: 'bundle,incremental,bytes=512' },
    { impl: 'native', backend, engineOptions: 'no-register,buffers=4,bytes=64' },
    { impl: 'ts', io: 'batch', backend, engineOptions: 'batch=8,wait=200' },
    { impl: 'ts', io: 'batch', backend, engineOptions: 'sqpoll,direct' },
  ]);

/** Of several threads. */
export const workerKinds: readonly Kind[] = [
  { impl: 'native', backend: nodeBackend, workers: 2, accept: 'shared' },
];

/** One kind of every implementation and io mode, on the system's best mechanism. */
export const oneOfEach: readonly Kind[] = kinds.filter(({ backend }) => backend === nodeBackend);

export const nameOf = ({ impl, io, backend, engineOptions, workers }: Kind): string =>
  `${impl}${io ? ` io=${io}` : ''} on ${backend}${engineOptions ? ` (${engineOptions})` : ''}${workers ? ` x ${workers}` : ''}`;

/** Runs `body` against a fresh server, which ends with it. */
export async function withServer<T>(
  kind: Kind,
  protocol: Protocol,
  body: (port: number, server: ServerProcess, hello: DispatchHello) => Promise<T>,
  more: Partial<ServerOptions> = {},
): Promise<T> {
  const { command, args } = commandOf(serverProgram({ ...kind, protocol, ...more }));
  const server = new ServerProcess(command, args);
  try {
    const hello = await server.hello();
    return await body(hello.port, server, hello);
  } finally {
    server.kill();
  }
}
