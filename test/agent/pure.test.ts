import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeFrame, encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from '../../src/carriers/frames.js';
import { command, report } from '../../src/contract/agent.js';
import type { SessionSpec } from '../../src/contract/ramp.js';
import { type Exchange, estimateClock, toOurs, toTheirs } from '../../src/hosts/clock.js';
import { splitLoad, threadsFor } from '../../src/ramp/split.js';
import { randomFrom } from '../../src/statistics/random.js';

const spec: SessionSpec = {
  host: '127.0.0.1',
  port: 80,
  uri: '/',
  rate: 100,
  connections: 1000,
  calls: 10,
  timeoutMs: 5000,
  sampleMs: 1000,
  arrival: 'fixed',
  cpus: [],
};

test('frames survive any cutting of the stream', () => {
  const frames = [
    { type: 'ping', id: 1 },
    { type: 'job', id: 2, job: { kind: 'session', spec } },
    { type: 'start', id: 2, atNs: 123_456_789_012_345 },
    { type: 'bye' },
  ] as const;
  const bytes = Buffer.from(frames.map(encodeFrame).join(''));
  for (const size of [1, 7, 64, bytes.length]) {
    const decoder = new FrameDecoder(command);
    const seen = [];
    for (let at = 0; at < bytes.length; at += size) seen.push(...decoder.push(bytes.subarray(at, at + size)));
    assert.deepEqual(seen, frames);
  }
});

for (const [what, line, message] of [
  ['text', 'GET / HTTP/1.1', /not a frame/],
  ['an unknown type', '{"type":"exec","command":"sh"}', /not a frame of this protocol: type/],
  ['an unknown job', '{"type":"job","id":1,"job":{"kind":"shell","spec":"rm"}}', /job\.kind/],
  [
    'a job whose uri holds a line break',
    encodeFrame({ type: 'job', id: 1, job: { kind: 'session', spec: { ...spec, uri: '/\r\nX: y' } } }),
    /job\.spec\.uri/,
  ],
  [
    'a host that is an option with spaces',
    encodeFrame({ type: 'job', id: 1, job: { kind: 'httperf', spec: { ...spec, host: 'a --hog' } } }),
    /job\.spec\.host/,
  ],
  [
    'a rate beyond any reason',
    encodeFrame({ type: 'job', id: 1, job: { kind: 'session', spec: { ...spec, rate: 1e9 } } }),
    /job\.spec\.rate/,
  ],
] as const)
  test(`an agent refuses ${what}`, () => assert.throws(() => decodeFrame(command, line), message));

test('a frame without end is cut off', () => {
  const decoder = new FrameDecoder(report);
  assert.throws(() => [...decoder.push(Buffer.alloc(MAX_FRAME_BYTES + 1, 0x20))], /longer than/);
});

test('frames before a bad one in the same chunk are not lost', () => {
  const decoder = new FrameDecoder(command);
  const seen: unknown[] = [];
  assert.throws(() => {
    const chunk = Buffer.from(`${encodeFrame({ type: 'ping', id: 1 })}GET / HTTP/1.1\n`);
    for (const frame of decoder.push(chunk)) seen.push(frame);
  }, /not a frame/);
  assert.deepEqual(seen, [{ type: 'ping', id: 1 }]);
});

/** Pings over a link with the given one-way delays; their clock runs `offset` ahead and `drift` faster. */
function pings(offset: number, drift: number, delay: () => [number, number], count: number): Exchange[] {
  const theirs = (ours: number) => ours + offset + drift * ours;
  return Array.from({ length: count }, (_, index) => {
    const sentNs = index * 1e8;
    const [there, back] = delay();
    const received = sentNs + there;
    return {
      sentNs,
      theyReceivedNs: theirs(received),
      theySentNs: theirs(received + 20_000),
      answeredNs: received + 20_000 + back,
    };
  });
}

test('offset: within the stated bound, however asymmetric the delays', () => {
  const random = randomFrom('clock');
  for (let run = 0; run < 100; run += 1) {
    const offset = (random() - 0.5) * 1e13;
    const exchanges = pings(offset, 0, () => [1e5 + random() ** 4 * 5e6, 3e5 + random() ** 2 * 1e6], 20);
    const clock = estimateClock(exchanges);
    assert.ok(Math.abs(toTheirs(clock, clock.atNs) - (clock.atNs + offset)) <= clock.boundNs + 1);
    // The best exchange is nearly free of queueing: half the difference of the fixed delays, and little more.
    assert.ok(clock.boundNs < 1e6, `bound ${clock.boundNs}`);
  }
});

test('drift is found when it is there and not when it is not', () => {
  const random = randomFrom('drift');
  const delay = (): [number, number] => [1e5 + random() * 1e4, 1e5 + random() * 1e4];
  const fast = estimateClock(pings(5e9, 5e-5, delay, 200));
  assert.ok(Math.abs(fast.drift - 5e-5) < 5e-6, `drift ${fast.drift}`);
  // Ten seconds after the last ping it still tells the time to 50 us.
  const later = 30e9;
  assert.ok(Math.abs(toTheirs(fast, later) - (later + 5e9 + 5e-5 * later)) < 5e4);
  assert.ok(Math.abs(toOurs(fast, toTheirs(fast, later)) - later) < 1);
  assert.equal(estimateClock(pings(5e9, 0, delay, 20)).drift, 0);
  assert.throws(() => estimateClock([]), /no ping was answered/);
});

test('the load is split by capacity and nothing is lost', () => {
  for (const capacities of [[1], [1, 1, 1], [4, 2, 1], [0, 3, 5], [1e-9, 1]]) {
    const shares = splitLoad(spec, capacities);
    const sum = (of: (share: SessionSpec) => number) =>
      shares.reduce((total, share) => total + (share ? of(share) : 0), 0);
    assert.equal(
      sum((share) => share.connections),
      spec.connections,
    );
    assert.ok(Math.abs(sum((share) => share.rate) - spec.rate) < 1e-9);
    for (const share of shares) if (share) assert.ok(Math.abs(share.connections / share.rate - 10) < 1e-9);
  }
  assert.equal(splitLoad(spec, [1, 0])[1], null);
  assert.throws(() => splitLoad(spec, [0, 0]), /no client has any capacity/);
});

test('parts of parts take turns: together they keep the even gaps of the whole, each with gaps of its own', () => {
  const even = { ...spec, connections: 1200 };
  const threads = splitLoad(even, [1, 1, 1]).flatMap((agent) => splitLoad(agent!, [1, 1]));
  const starts = threads
    .flatMap((thread) =>
      Array.from({ length: 10 }, (_, index) => thread!.part!.offsetNs + (index * 1e9) / thread!.rate),
    )
    .sort((a, b) => a - b);
  for (const [index, start] of starts.entries()) assert.ok(Math.abs(start - index * 1e7) < 1, `${start}`);
  assert.equal(new Set(threads.map((thread) => thread!.part!.seed)).size, threads.length);
});

test('a step gets the load threads that its rate needs and the machine has', () => {
  const at = (rate: number, cores: number, more: Partial<SessionSpec> = {}) =>
    threadsFor({ ...spec, rate, ...more }, cores);
  assert.equal(at(100, 8), 1);
  assert.equal(at(20_000, 8), 4);
  assert.equal(at(20_000, 2), 2);
  assert.equal(at(20_000, 8, { cpus: [3] }), 1);
  assert.equal(at(20_000, 8, { connections: 2 }), 2);
});
