/** What the suite reports of servers and relays that count for themselves. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openLocal } from '../../src/hosts/local.js';
import { efforts } from '../../src/selftest/check.js';
import { checks } from '../../src/selftest/checks.js';
import { withKnownAnswer } from '../../src/selftest/known-answer.js';

const roles = await openLocal();
after(() => roles.close());
const site = { roles, signal: new AbortController().signal };

test('loss is reported to the request', async () => {
  const check = checks.find(({ name }) => name === 'loss')!;
  const rows = await check.run({ ...efforts.quick, seconds: 1 }, site);
  assert.deepEqual(
    rows.map(({ truth, reported, outcome }) => [truth === reported, outcome]),
    [
      [true, 'ok'],
      [true, 'ok'],
    ],
  );
});

test('a known-answer server tells what it did, not what it was told', async () => {
  const { truth } = await withKnownAnswer(site, { delayMs: 30 }, async ({ port }) => {
    for (let request = 0; request < 3; request += 1) await (await fetch(`http://127.0.0.1:${port}/`)).text();
  });
  assert.equal(truth.answered, 3);
  assert.ok(truth.delayP50Ns >= 30e6);
  assert.ok(truth.delayMaxNs >= truth.delayP50Ns);
});

test('a behaviour that does not exist is refused', async () => {
  await assert.rejects(
    withKnownAnswer(site, { explode: true } as never, async () => {}),
    /ended with code 1 .*Unrecognized key: "explode"/,
  );
});

test('what a relay does to datagrams is reported to the datagram', async () => {
  const check = checks.find(({ name }) => name === 'datagrams')!;
  const rows = await check.run({ ...efforts.quick, seconds: 1 }, site);
  const counted = rows.slice(0, 3);
  assert.deepEqual(
    counted.map(({ outcome }) => outcome),
    ['ok', 'ok', 'ok'],
    JSON.stringify(counted),
  );
  for (const { truth } of counted) assert.ok(Number(truth) > 10, truth);
});
