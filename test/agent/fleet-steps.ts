/** What the tests of fleets ask their agents for, and what they expect when one of them dies. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SessionSpec } from '../../src/contract/ramp.js';
import type { Fleet } from '../../src/ramp/fleet.js';

export async function httpServer(address: string): Promise<{ port: number; close(): void }> {
  const server = createServer((_, response) => response.end('hello'));
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

/** 90 connections of two calls each, 300 started per second. */
export const sessions = (host: string, port: number, more: Partial<SessionSpec> = {}): SessionSpec => ({
  host,
  port,
  uri: '/',
  rate: 300,
  connections: 90,
  calls: 2,
  timeoutMs: 5000,
  sampleMs: 50,
  arrival: 'fixed',
  cpus: [],
  ...more,
});

/** Of three equal agents a, b and c, `dead` gave no result and is named with `why`; the others were measured. */
export function assertOneLost(
  { parts, problems, result }: Awaited<ReturnType<Fleet['run']>>,
  dead: string,
  connections: number,
  why: RegExp,
): void {
  assert.deepEqual(
    parts.map((part) => [part.name, part.result !== null]),
    ['a', 'b', 'c'].map((name) => [name, name !== dead]),
  );
  assert.equal(result!.connections, (connections * 2) / 3);
  assert.ok(
    problems.some((problem) => why.test(problem)),
    problems.join(),
  );
}
