/**
 * A short echo loop over every backend, printed in one line; scripts/node-versions.mjs runs it under other Node versions.
 * Argument: the major version of Node that must be running it.
 */
import assert from 'node:assert/strict';
import { Event, Interest } from '../../src/dispatch/poller.js';
import { listBackends } from '../../src/dispatch/registry.js';
import { receive, send } from '../support/descriptors.js';
import { Bench } from './bench.js';

const ROUNDS = 1000;

const major = process.versions.node.split('.')[0];
assert.equal(major, process.argv[2], 'another Node than asked for');
const served = listBackends().filter(({ available }) => available);
assert.ok(served.length > 0);
for (const { name } of served) {
  const bench = new Bench(name);
  const [client, server] = bench.socketPair();
  bench.poller.add(server, Interest.read);
  for (let round = 0; round < ROUNDS; round++) {
    send(client, `message ${round}`);
    assert.equal(bench.poller.turn(0, 10_000_000), 1);
    const fd = bench.poller.descriptorOf(bench.poller.events[Event.slot] as number);
    send(fd, receive(fd));
    bench.poller.rearm(fd);
    assert.equal(receive(client), `message ${round}`);
  }
  assert.equal(bench.poller.counters().events, ROUNDS);
  bench.end();
}
console.log(
  `Node ${process.versions.node}: ${ROUNDS} echoes on each of ${served.map(({ name }) => name).join(', ')}`,
);
