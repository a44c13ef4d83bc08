/** Programs that a load test starts; all end with the test. */

import type { TestContext } from 'node:test';
import { type Behaviour, listening, truth } from '../../src/contract/selftest.js';
import { hello } from '../../src/contract/server.js';
import { clientBackend } from '../../src/dispatch/registry.js';
import type { HostProcess } from '../../src/hosts/host.js';
import { startHere } from '../../src/hosts/local.js';
import type { Program } from '../../src/hosts/program.js';
import { type LoadOptions, runLoad } from '../../src/load/engine.js';
import { knownAnswerProgram } from '../../src/programs/known-answer.js';
import { serverProgram } from '../../src/programs/server.js';

export const patienceMs = 30_000;

export function start(t: TestContext, name: string, program: Program): HostProcess {
  const child = startHere(name, program);
  t.after(() => child.end(2000));
  return child;
}

/** A server that behaves as it is told. */
export async function knownServer(t: TestContext, behaviour: Behaviour) {
  const child = start(t, 'the known-answer server', knownAnswerProgram(behaviour));
  const { port } = listening.parse(await child.expect('listening', patienceMs));
  return {
    port,
    /** median time for which it held its replies, nanoseconds */
    async held(): Promise<number> {
      child.send('truth');
      return truth.parse(await child.expect('truth', patienceMs)).delayP50Ns;
    },
  };
}

/** Our native server over the system's own mechanism. */
export async function nativeServer(t: TestContext, protocol: 'tcp-echo' | 'http') {
  const options = { protocol, impl: 'native', backend: clientBackend, control: true } as const;
  const child = start(t, 'server', serverProgram(options));
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
