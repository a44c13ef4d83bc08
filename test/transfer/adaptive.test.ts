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
    asked: Record<'roundTripNs' | 'most' | 'untilNs' | 'changeNs' | 'lagNs' | 'noise' | 'seed', number>,
    before: Float64Array,
    after: Float64Array,
  ): { link: string; turns: Float64Array; arrived: number; best: number };
};

const most = 64;
const ms = 1e6;
/** What arrives in a second, by the number of streams. */
const rates = (of: (streams: number) => number) => Float64Array.from({ length: most + 1 }, (_, n) => of(n));

function chosen(
  roundTripMs: number,
  before: Float64Array,
  more: {
    untilMs?: number;
    after?: Float64Array;
    changeMs?: number;
    lagMs?: number;
    noise?: number;
    seed?: number;
  } = {},
) {
  const { untilMs = 10_000, after = before, lagMs = 0, noise = 0, seed = 1 } = more;
  const { changeMs = untilMs } = more;
  const times = { roundTripNs: roundTripMs * ms, untilNs: untilMs * ms, changeNs: changeMs * ms };
  const { link, turns, arrived, best } = adapt(
    { ...times, lagNs: lagMs * ms, most, noise, seed },
    before,
    after,
  );
  const streams = [...turns].filter((_, i) => i % 2 === 1);
  const at = [...turns].filter((_, i) => i % 2 === 0);
  /** Share of the time in which so many sent. */
  const share = (wanted: (n: number) => boolean) =>
    streams.reduce(
      (sum, n, i) => sum + (wanted(n) ? (at[i + 1] ?? untilMs * ms) - at[i]! : 0) / (untilMs * ms),
      0,
    );
  return { link, streams, share, overBest: arrived / best };
}

const [loopback, datacenter, wan] = [0.03, 0.5, 40] as const;
const alike = rates(() => 1e9);

test('the class of a link follows from its shortest round trip', () => {
  assert.deepEqual(
    [loopback, datacenter, wan].map((roundTrip) => chosen(roundTrip, alike).link),
    [...linkClasses],
  );
});

test('where more streams bring nothing, one sends nearly all the time', () => {
  const { streams, share } = chosen(loopback, alike);
  assert.deepEqual(streams.slice(0, 3), [1, 2, 1]);
  assert.ok(share((n) => n === 1) > 0.9);
});

test('where each stream brings its share, their number grows until the link is full, and no further', () => {
  const link = rates((n) => Math.min(n * 0.35e6, 11e6));
  const { streams, share } = chosen(wan, link);
  assert.deepEqual(streams.slice(0, 4), [16, 32, 64, 32]);
  assert.ok(share((n) => n >= 32) > 0.75);
});

test('where more than a few take from each other, it falls back to them', () => {
  const { streams, share } = chosen(
    datacenter,
    rates((n) => (n <= 4 ? n : 4 / n) * 1e6),
  );
  assert.ok(streams.includes(8) && share((n) => n === 4) > 0.7, streams.join(' '));
});

test('fewer send again where they bring as much', () => {
  const { streams, share } = chosen(wan, alike, { untilMs: 120_000 });
  assert.ok(share((n) => n === 1) > 0.5, streams.join(' '));
});

test('a link that changes is noticed, whichever way', () => {
  const [narrow, wide] = [rates((n) => Math.min(n, 2) * 1e6), rates((n) => Math.min(n, 32) * 1e6)];
  const changes = { untilMs: 60_000, changeMs: 20_000 };
  const grown = chosen(datacenter, narrow, { ...changes, after: wide });
  assert.ok(grown.share((n) => n >= 32) > 0.3, grown.streams.join(' '));
  const shrunk = chosen(datacenter, wide, { ...changes, after: narrow });
  assert.ok(shrunk.share((n) => n <= 4) > 0.5, shrunk.streams.join(' '));
});

// A transfer of 10 s, whatever limits it: what looking costs is in it.
for (const { limit, roundTrip, lagMs, of } of [
  { limit: 'the CPU', roundTrip: loopback, lagMs: 2, of: (n: number) => 2e9 * (1 - 0.04 * Math.log2(n)) },
  { limit: 'memory, whatever the streams', roundTrip: loopback, lagMs: 2, of: () => 2e9 },
  { limit: 'a near link', roundTrip: datacenter, lagMs: 5, of: (n: number) => Math.min(n * 4e8, 1.25e9) },
  { limit: 'a far link', roundTrip: wan, lagMs: 120, of: () => 11e6 },
  { limit: 'losses', roundTrip: wan, lagMs: 120, of: (n: number) => Math.min(n * 0.35e6, 11e6) },
  { limit: 'losses on a wide link', roundTrip: wan, lagMs: 120, of: (n: number) => n * 0.35e6 },
]) {
  for (const noise of [0, 0.1, 0.3]) {
    test(`what arrives is within 5 % of the best fixed number over 10 s: limited by ${limit}, noise ${noise}`, () => {
      const shares = [1, 2, 3, 4, 5, 6, 7, 8].map(
        (seed) => chosen(roundTrip, rates(of), { lagMs, noise, seed }).overBest,
      );
      const mean = shares.reduce((sum, one) => sum + one, 0) / shares.length;
      assert.ok(mean >= 0.95, shares.map((one) => one.toFixed(3)).join(' '));
    });
  }
}

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
