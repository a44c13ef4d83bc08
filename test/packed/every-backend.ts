/**
 * Sends bytes through an echo on every backend that this system has, and prints their names in one line. Any Node runs it with
 * any build of the addon (DISPATCHBENCH_ADDON), an emulated one as well, because it is one process.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as turnOfNode } from 'node:timers/promises';
import {
  type BackendName,
  Event,
  Interest,
  listBackends,
  openPoller,
  Sockets,
  wouldBlock,
} from 'dispatchbench/experimental/poller';

const text = 'x'.repeat(200_000);

/** One connection, until both ends have closed it. @returns what came back */
async function echo(backend: BackendName, sockets: Sockets): Promise<string> {
  const poller = openPoller({ backend });
  const listener = sockets.listen('127.0.0.1', 0);
  poller.add(listener, Interest.read);
  const client = connect(sockets.addressOf(listener).port, '127.0.0.1');
  const closed = once(client, 'close');
  let answer = '';
  client.setEncoding('latin1').on('data', (part) => (answer += part));
  client.end(text);
  let rest = new Uint8Array();
  /** @returns false at its end */
  const serve = (slot: number): boolean => {
    const descriptor = poller.descriptorOf(slot);
    for (;;) {
      if (rest.length > 0) {
        sockets.bytes.set(rest);
        const sent = sockets.send(descriptor, 0, rest.length);
        assert.ok(sent > 0 || wouldBlock(sent), `${backend}: send ${sent}`);
        rest = rest.slice(Math.max(sent, 0));
        if (rest.length > 0) {
          poller.modify(slot, Interest.write);
          return true;
        }
        poller.modify(slot, Interest.read);
      }
      const received = sockets.receive(descriptor);
      if (wouldBlock(received)) return true;
      assert.ok(received >= 0, `${backend}: receive ${received}`);
      if (received === 0) return false;
      rest = sockets.bytes.slice(0, received);
    }
  };
  for (let open = true; open; await turnOfNode()) {
    const count = poller.turn(0, 1000);
    for (let row = 0; row < count; row++) {
      const slot = poller.events[row * Event.words + Event.slot]!;
      if (poller.descriptorOf(slot) === listener) {
        const accepted = sockets.accept(listener);
        if (accepted >= 0) poller.add(accepted, Interest.read);
      } else if (serve(slot)) {
        poller.rearm(slot);
      } else {
        const descriptor = poller.descriptorOf(slot);
        poller.forget(slot);
        sockets.close(descriptor);
        open = false;
      }
    }
  }
  await closed;
  poller.close();
  sockets.close(listener);
  return answer;
}

const sockets = new Sockets();
const served = listBackends().filter(({ available }) => available);
for (const { name } of served) assert.equal(await echo(name, sockets), text, name);
sockets.release();
assert.ok(served.length > 0);
console.log(
  `Node ${process.versions.node} for ${process.platform} ${process.arch}: an echo on each of ${served.map(({ name }) => name).join(', ')}`,
);
