/** What travels between replicas, as bytes: whole however it is cut, and refused where it is too long or no message. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bodyOf,
  FRAME_VERSION,
  FrameReader,
  frameOf,
  HEADER_BYTES,
  joinedPieces,
  Kind,
  nothingSpent,
  readBody,
  readFrame,
  sealedPart,
  stamp,
} from '../../src/quorum/frames.js';
import type { Message as PbftMessage } from '../../src/quorum/pbft/messages.js';
import * as pbft from '../../src/quorum/pbft/wire.js';
import type { Message as RaftMessage, Write } from '../../src/quorum/raft/messages.js';
import { encodeWrite, recovered } from '../../src/quorum/raft/record.js';
import * as raft from '../../src/quorum/raft/wire.js';

const text = (words: string) => new TextEncoder().encode(words);
const spent = { wire: 1, wake: 2, crypto: 3, fsync: 4 };
const framed = (words: string) => frameOf(Kind.raft, 7, 123.5, spent, text(words));

test('frames come out whole however the stream was cut', () => {
  const words = ['', 'a', 'bb', 'c'.repeat(300)];
  const stream = Buffer.concat(words.map(framed));
  for (const piece of [1, 2, 3, 5, 31, 33, 100, stream.length]) {
    const reader = new FrameReader(1000);
    const found: string[] = [];
    for (let at = 0; at < stream.length; at += piece)
      assert.ok(
        reader.feed(stream.subarray(at, at + piece), (bytes) => {
          const frame = readFrame(bytes)!;
          assert.deepEqual(
            { ...frame, body: 0 },
            { kind: Kind.raft, from: 7, sentNs: 123.5, spent, body: 0 },
          );
          found.push(Buffer.from(frame.body).toString());
        }),
      );
    assert.deepEqual(found, words);
  }
});

test('a frame that is announced as longer than the bound, or shorter than its head, ends the stream', () => {
  const announced = (length: number) => {
    const head = new Uint8Array(4);
    new DataView(head.buffer).setUint32(0, length, true);
    return new FrameReader(1000).feed(head, () => assert.fail('no frame'));
  };
  assert.equal(announced(1000 - 4), true);
  assert.equal(announced(1001 - 4), false);
  assert.equal(announced(0xffffffff), false);
  assert.equal(announced(HEADER_BYTES - 5), false);
});

test('another version, another kind and bytes too few for a tag are no frame', () => {
  assert.equal(readFrame(framed('x'), 2), null);
  for (const [at, value] of [
    [28, FRAME_VERSION + 1],
    [29, 99],
  ] as const) {
    const bytes = framed('x');
    bytes[at] = value;
    assert.equal(readFrame(bytes), null);
  }
  assert.deepEqual(readFrame(frameOf(Kind.reply, 1, 0, nothingSpent, text('b'), 3), 3)?.body, text('b'));
});

test('what a tag authenticates stays as it is when a frame is stamped', () => {
  const frame = framed('body');
  const before = sealedPart(frame).slice();
  stamp(frame, 99, nothingSpent);
  assert.deepEqual(sealedPart(frame), before);
  assert.deepEqual(readFrame(frame)?.sentNs, 99);
});

const raftMessages: RaftMessage[] = [
  { type: 'vote', term: 3, lastIndex: 4, lastTerm: 2 },
  { type: 'pre-vote-reply', term: 3, granted: true },
  {
    type: 'append',
    term: 3,
    previousIndex: 1,
    previousTerm: 1,
    entries: [
      { term: 2, command: text('one') },
      { term: 3, command: text('') },
    ],
    commit: 1,
    round: 9,
  },
  {
    type: 'install',
    term: 1,
    round: 1,
    index: 5,
    snapshotTerm: 1,
    offset: 0,
    data: text('s'),
    done: false,
    digest: '',
  },
];
const pbftMessages: PbftMessage[] = [
  { type: 'request', request: text('r') },
  { type: 'pre-prepare', view: 1, sequence: 2, digest: 'd', batch: [text('a'), text('b')] },
  { type: 'pre-prepare', view: 0, sequence: 2 ** 40, digest: '', batch: [] },
  { type: 'prepare', view: 1, sequence: 2, digest: 'd'.repeat(64) },
  { type: 'commit', view: 2 ** 40, sequence: 0, digest: 'd?1' },
  {
    type: 'view-change-copy',
    sender: 1,
    change: {
      type: 'view-change',
      view: 2,
      stable: 0,
      checkpoints: [{ sequence: 0, digest: '' }],
      prepared: [{ sequence: 1, digest: 'd', view: 1 }],
      prePrepared: [],
    },
  },
  { type: 'state', sequence: 4, data: text('state') },
];

test('messages of both protocols are read as they were written', () => {
  for (const message of raftMessages)
    assert.deepEqual(raft.decodeMessage(raft.encodeMessage(message)), message);
  assert.deepEqual(pbft.decodeMessages(pbft.encodeMessages(pbftMessages)), pbftMessages);
});

test('what is no message is refused', () => {
  const wrong: unknown[] = [
    null,
    [],
    'vote',
    { type: 'vote' },
    { type: 'constructor' },
    { type: 'vote', term: -1, lastIndex: 0, lastTerm: 0 },
    { type: 'vote', term: 1.5, lastIndex: 0, lastTerm: 0 },
    { type: 'append', term: 1, previousIndex: 0, previousTerm: 0, entries: [1], commit: 0, round: 0 },
    { type: 'install', term: 1, round: 1, index: 5, snapshotTerm: 1, offset: 0, done: false },
  ];
  for (const value of wrong) assert.throws(() => raft.decodeMessage(bodyOf(value)), String(value));
  const change = { view: 1, stable: 0, checkpoints: [{ sequence: 1 }], prepared: [], prePrepared: [] };
  const refusedByPbft = (...bytes: number[]) =>
    assert.throws(() => pbft.decodeMessages(joinedPieces([Uint8Array.from(bytes)])), String(bytes));
  for (const value of [
    { type: 'view-change', ...change },
    { type: 'state', sequence: 1 },
    { type: 'prepare', view: 0, sequence: 1, digest: 'd' },
  ])
    refusedByPbft(0, ...bodyOf(value));
  const numbers = [...new Uint8Array(Float64Array.of(0, 1).buffer)];
  refusedByPbft();
  refusedByPbft(9, ...numbers);
  refusedByPbft(2, ...numbers.slice(1));
  refusedByPbft(3, ...new Uint8Array(Float64Array.of(0.5, 1).buffer));
  refusedByPbft(3, ...numbers, ...text('d'.repeat(1025)));
  refusedByPbft(1, ...numbers, 0, 0, 1);
  const body = bodyOf({}, [text('piece')]);
  assert.throws(() => readBody(body.subarray(0, body.length - 1)));
  assert.throws(() => readBody(new Uint8Array(0)));
});

test('records of a log come to what was written, with a snapshot in the place of what was before', () => {
  const entry = (words: string, term = 1) => ({ term, command: text(words) });
  const write = (number: number, more: Partial<Write>): Write => ({
    ...{ number, term: 1, vote: null, snapshot: null, from: null, entries: [] },
    ...more,
  });
  const snapshot = { index: 2, term: 1, data: text('two'), digest: 'd' };
  const records = [
    encodeWrite(write(1, { vote: 2 }), []),
    encodeWrite(write(2, { from: 1, entries: [entry('1'), entry('2'), entry('3')] }), []),
    encodeWrite(write(3, { term: 2, from: 3, entries: [entry('3b', 2)] }), []),
    encodeWrite(write(4, { term: 2, vote: 0, snapshot }), [entry('3b', 2)]),
    encodeWrite(write(5, { term: 2, vote: 0, from: 4, entries: [entry('4', 2)] }), []),
  ];
  assert.deepEqual(
    records.map(({ begins }) => begins),
    [false, false, false, true, false],
  );
  const of = (from: number, to: number) => recovered(records.slice(from, to).map(({ record }) => record));
  assert.deepEqual(of(0, 3), {
    ...{ term: 2, vote: null, snapshot: null },
    entries: [entry('1'), entry('2'), entry('3b', 2)],
  });
  const all = { term: 2, vote: 0, snapshot, entries: [entry('3b', 2), entry('4', 2)] };
  assert.deepEqual(of(0, 5), all);
  assert.deepEqual(of(3, 5), all);
  assert.throws(() => of(4, 5), /leaves entries out/);
});
