/** Programs that a load test starts; all end with the test. */
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { hello } from '../../src/contract/server.js';
import { Child } from '../../src/hosts/child.js';
import type { Command } from '../../src/hosts/host.js';
import { type LoadOptions, runLoad } from '../../src/load/engine.js';
import { serverCommand } from '../../src/programs/server.js';

export const patienceMs = 30_000;

export function start(t: TestContext, name: string, command: Command): Child {
  const child = new Child(name, command);
  t.after(() => child.end(2000));
  return child;
}

/** A server that behaves as known-server.ts says. */
export async function knownServer(t: TestContext, behaviour: string) {
  const program = fileURLToPath(new URL('known-server.js', import.meta.url));
  const child = start(t, behaviour, { command: process.execPath, args: [program, behaviour] });
  const { port } = z.object({ port: z.number() }).parse(await child.expect('listening', patienceMs));
  return {
    port,
    /** median time for which it held what it echoed, nanoseconds */
    async held(): Promise<number> {
      child.send('held');
      return 1e6 * z.object({ medianMs: z.number() }).parse(await child.expect('held', patienceMs)).medianMs;
    },
  };
}

/** Our native server over epoll or kqueue. */
export async function nativeServer(t: TestContext, protocol: 'tcp-echo' | 'http') {
  const backend = process.platform === 'linux' ? 'epoll' : 'kqueue';
  const child = start(t, 'server', serverCommand({ protocol, impl: 'native', backend, control: true }));
  const { port, pid } = hello.parse(await child.expect('hello', patienceMs));
  return { child, port, pid };
}

/** A short closed load; everything else as given. */
export function loadOptions(port: number, options: Partial<LoadOptions> = {}): LoadOptions {
  return {
    protocol: 'tcp-echo',
    target: { host: '127.0.0.1', port },
    connections: 4,
    rate: null,
    arrival: 'fixed',
    seed: 1,
    size: 64,
    pipelining: 1,
    warmupNs: 0,
    windowNs: 300e6,
    timeoutNs: 5e9,
    connectTimeoutNs: 5e9,
    path: '/',
    anyBody: false,
    ...options,
  };
}

export const measure = (port: number, options: Partial<LoadOptions> = {}) =>
  runLoad(loadOptions(port, options), { line() {} });
