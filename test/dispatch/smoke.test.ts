/** The shortest path through every available backend: open, time out, close. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPoller } from '../../src/dispatch/poller.js';
import { listBackends } from '../../src/dispatch/registry.js';

for (const { name, available, reason } of listBackends()) {
  test(`${name}: opens, times out, closes`, { skip: available ? false : reason }, () => {
    const poller = openPoller({ backend: name });
    assert.equal(poller.turn(0, 100), 0);
    assert.equal(poller.counters().waits, 1);
    poller.close();
    assert.throws(() => poller.turn(0, 0), { code: 'ERR_CLOSED_HANDLE' });
  });
}
