/** The number of streams that pays: over virtual time, and with real sockets. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { platform } from 'node:os';
import { dirname, resolve } from 'node:path';
import { test } from 'node:test';
import { addonPath } from '../../src/addon.js';
import { linkClasses } from '../../src/contract/transfer.js';
import { withEnds } from './ends.js';

const { adapt } = createRequire(import.meta.url)(
  resolve(dirname(addonPath), 'dispatchbench_testing.node'),
) as {
  adapt(
    asked: { roundTripNs: number; most: number; untilNs: number; changeNs: number },
    before: Float64Array,
    after: Float64Array,
  ): { link: string; turns: Float64Array };
};

const most = 64;
const ms = 1e6;
/** What arrives in a second, by the number of streams. */
const rates = (of: (streams: number) => number) => Float64Array.from({ length: most + 1 }, (_, n) => of(n));

function chosen(
  roundTripNs: number,
  before: Float64Array,
  more: { untilMs?: number; after?: Float64Array; changeMs?: number } = {},
) {
  const { untilMs = 10_000, after = before } = more;
  const { changeMs = untilMs } = more;
  const asked = { roundTripNs, most, untilNs: untilMs * ms, changeNs: changeMs * ms };
  const { link, turns } = adapt(asked, before, after);
  const streams = [...turns].filter((_, i) => i % 2 === 1);
  const at = [...turns].filter((_, i) => i % 2 === 0);
  /** Share of the time in which so many sent. */
  const share = (wanted: (n: number) => boolean) =>
    streams.reduce(
      (sum, n, i) => sum + (wanted(n) ? (at[i + 1] ?? untilMs * ms) - at[i]! : 0) / (untilMs * ms),
      0,
    );
  return { link, streams, share };
}

test('the class of a link follows from its shortest round trip', () => {
  assert.deepEqual(
    [0.03, 0.5, 40].map(
      (roundTrip) =>
        chosen(
          roundTrip * ms,
          rates(() => 1e6),
        ).link,
    ),
    [...linkClasses],
  );
});

test('where more streams bring nothing, one sends nearly all the time', () => {
  const { streams, share } = chosen(
    0.03 * ms,
    rates(() => 2e9),
  );
  assert.deepEqual(streams.slice(0, 3), [1, 2, 1]);
  assert.ok(share((n) => n === 1) > 0.9);
});

test('where each stream brings its share, their number grows until the link is full, and no further', () => {
  const link = rates((n) => Math.min(n * 0.35e6, 11e6));
  const { streams, share } = chosen(40 * ms, link);
  assert.deepEqual(streams.slice(0, 4), [4, 8, 16, 32]);
  assert.ok(share((n) => n >= 32) > 0.75);
  assert.ok(!streams.slice(4).some((n) => n < 32));
});

test('where more than a few take from each other, it falls back to them', () => {
  const { streams, share } = chosen(
    1 * ms,
    rates((n) => (n <= 4 ? n : 4 / n) * 1e6),
  );
  assert.ok(streams.includes(8) && share((n) => n === 4) > 0.7, streams.join(' '));
});

test('a link that changes is noticed', () => {
  const { share, streams } = chosen(
    1 * ms,
    rates((n) => Math.min(n, 2) * 1e6),
    { untilMs: 60_000, changeMs: 20_000, after: rates((n) => Math.min(n, 32) * 1e6) },
  );
  assert.ok(share((n) => n >= 32) > 0.3, streams.join(' '));
});

test(
  'streams that rest are no stalled ones, and what was sent by as many as paid arrives',
  {
    skip: platform() === 'linux' ? false : 'what has arrived is asked of Linux',
  },
  () =>
    withEnds(async (start) => {
      const { end, port } = await start.receiver({ patienceMs: 150 });
      const length = { durationMs: 400 };
      const sender = start.sender({ port, streams: 16, adaptive: true, patienceMs: 150, length });
      const [sent, got] = [await sender.result(), await end.result()];
      assert.equal(sent.fault ?? got.fault, null);
      assert.ok(sent.role === 'sender');
      const { turns, link } = sent.adaptive!;
      assert.equal(link, 'loopback');
      const [first] = turns;
      assert.deepEqual([first!.streams, first!.atNs], [1, 0]);
      assert.deepEqual(
        sent.streams.map(({ bytes, digest, whole }) => ({ bytes, digest, whole })),
        got.streams,
      );
      const most = Math.max(...turns.map(({ streams }) => streams));
      assert.ok(sent.streams.every(({ bytes }, i) => bytes > 0 === i < most));
      assert.ok(sent.calls.looks > 0);
    }),
);
