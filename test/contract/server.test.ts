/** The server contract tells our servers from somebody else's, and knows what the latter cannot say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dispatchSnapshot, hello, snapshot } from '../../src/contract/server.js';
import { measured } from '../../src/trials/sample.js';
import { syntheticSample } from '../support/samples.js';

const sample = syntheticSample({ cell: {}, cpuUs: 10 });

test('a hello says whose server it is', () => {
  const ours = sample.server!;
  assert.deepEqual(hello.parse(ours), ours);
  const {
    event,
    protocol,
    address,
    port,
    ports,
    pid,
    kernel,
    descriptorLimit,
    cpuAffinity,
    versions,
    digest,
  } = ours;
  const told = {
    ...{ event, protocol, address, port, ports, pid, kernel, descriptorLimit, cpuAffinity, versions, digest },
    command: ['nginx', '-g', 'daemon off;'],
    accounting: 'cgroup2',
    readyAfterMs: 12.5,
  };
  assert.deepEqual(hello.parse({ ...told, subject: 'foreign' }), { ...told, subject: 'foreign' });
  assert.equal(hello.safeParse({ ...told, subject: 'dispatch' }).success, false);
  assert.equal(hello.safeParse({ ...ours, subject: undefined }).success, false);
});

test('a foreign server may leave untold what a server of ours always tells', () => {
  const ours = { ...measured(sample, 'closed', 'load')!.after, event: 'snapshot', id: '1' };
  assert.deepEqual(dispatchSnapshot.parse(ours), ours);
  const foreign = {
    ...ours,
    ...{ requests: null, connections: null, accepted: null, closed: null, bytesIn: null, bytesOut: null },
    ...{ rejected: null, contextSwitches: null, counters: null },
    tree: { processesStarted: 3, processesNow: 2, pssBytes: 20e6, peakBytes: null },
  };
  assert.deepEqual(snapshot.parse(foreign), foreign);
  assert.equal(dispatchSnapshot.safeParse(foreign).success, false);
  assert.equal(snapshot.safeParse({ ...foreign, requests: undefined }).success, false);
});
