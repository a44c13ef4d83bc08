/**
 * A fixed scenario for counters.test.ts, run under strace. Everything between the two marks is the poller's own doing.
 * Prints the counters as one JSON line.
 */
import { existsSync } from 'node:fs';
import type { BackendName } from '../../src/contract/common.js';
import { Interest } from '../../src/dispatch/poller.js';
import { receive, send } from '../support/descriptors.js';
import { Bench } from './bench.js';
import { beginMark, endMark, HIGH, IDLE, LOW, TIMEOUT_US } from './traced.js';

const bench = new Bench(process.argv[2] as BackendName);
const { poller } = bench;
const [a, b] = bench.socketPair();
const low = bench.duplicate(a, LOW);
const high = Array.from({ length: IDLE }, (_, i) => bench.duplicate(bench.socketPair()[0], HIGH + i));

existsSync(beginMark);
poller.add(low, Interest.read);
for (const fd of high) poller.add(fd, Interest.read);
bench.look(); // with the spike
for (const fd of high) poller.forget(fd);
bench.look(); // after the spike
for (let i = 0; i < 5; i++) {
  send(b);
  bench.await();
  receive(low);
  poller.rearm(low);
}
poller.modify(low, Interest.both);
bench.await();
poller.modify(low, Interest.none);
bench.turn(TIMEOUT_US);
poller.modify(low, Interest.read);
poller.forget(low);
existsSync(endMark);

console.log(JSON.stringify(poller.counters()));
bench.end();
