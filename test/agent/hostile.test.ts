/**
 * Broken and hostile load machines, each a row: one that behaves works beside it, and its part is always measured. A row
 * says what has to be said of the other one.
 */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import type { NatsConnection } from '@nats-io/transport-node';
import { encodeFrame, MAX_FRAME_BYTES } from '../../src/carriers/frames.js';
import { streamLink } from '../../src/carriers/link.js';
import { answerNatsCalls } from '../../src/carriers/nats-link.js';
import { type Command, command, report } from '../../src/contract/agent.js';
import { noFailures, type SessionResult, type SessionSpec } from '../../src/contract/ramp.js';
import { decodeHistogram, emptyHistogram, latencyOfHistogram } from '../../src/load/histogram.js';
import { monotonicNs } from '../../src/process.js';
import { Fleet } from '../../src/ramp/fleet.js';
import type { AgentLink } from '../../src/ramp/member.js';
import { dispatchbench } from '../support/command.js';
import { sessions } from './fleet-steps.js';

const patience = { registerMs: 400, beatMs: 100, silenceMs: 500, readyMs: 400, resultMs: 400 };

/** What an honest client would say of a step. */
function resultOf({ connections, calls }: SessionSpec): SessionResult {
  const histogram = emptyHistogram();
  const times = (count: number) => {
    histogram.reset();
    histogram.recordValueWithCount(1e6, count);
    return latencyOfHistogram(histogram);
  };
  const replies = connections * calls;
  return {
    event: 'result',
    client: 'native',
    connections,
    requests: replies,
    replies,
    durationS: 0.1,
    maxConcurrent: 1,
    connectMs: 1,
    responseMs: 1,
    transferMs: 0,
    replyRate: { min: 0, avg: 0, max: 0, stddev: 0, samples: 0, intervalS: 0.05 },
    status: [0, replies, 0, 0, 0],
    netKBps: 1,
    failures: noFailures(),
    cpu: { userS: 0, systemS: 0 },
    detail: {
      response: times(replies),
      connect: times(connections),
      startLag: times(connections),
      replySamples: [],
      startedAtNs: monotonicNs(),
      dueAtNs: monotonicNs(),
      busyShare: 0.1,
      spinShare: 0,
      bytesIn: 1,
      bytesOut: 1,
      saturation: [],
    },
  };
}

interface Wire {
  say(frame: unknown): void;
  raw(bytes: string | Uint8Array): void;
  close(): void;
  /** id and load of the last job */
  id: number;
  spec: SessionSpec;
}

type Manners = { [Type in Command['type']]?: (wire: Wire, frame: Extract<Command, { type: Type }>) => void };

const facts = {
  ...{ hostname: 'x', cores: 1, memoryBytes: 1, descriptorLimit: null },
  ...{ os: 'x', kernel: 'x', arch: 'x', versions: { node: '22' } },
};
const registration = (name: string) => ({ type: 'register', protocol: 1, name, facts });

const honest: Required<Manners> = {
  ping: (wire, { id }) => wire.say({ type: 'pong', id, receivedNs: monotonicNs(), sentNs: monotonicNs() }),
  job: (wire, { id }) => wire.say({ type: 'ready', id }),
  start: (wire, { id }) => wire.say({ type: 'result', id, result: resultOf(wire.spec) }),
  stop: () => {},
  bye: (wire) => wire.close(),
};

/** An agent in this process, behind streams like any other. */
function agent(name: string, manners: Manners, register: unknown = registration(name)): AgentLink {
  const [toUs, toThem] = [new PassThrough(), new PassThrough()];
  const raw: Wire['raw'] = (bytes) => void (toUs.writableEnded || toUs.write(bytes));
  const wire: Wire = {
    raw,
    say: (frame) => raw(encodeFrame(frame)),
    close: () => void toUs.end(),
    id: 0,
    spec: sessions('x', 1),
  };
  const them = streamLink<typeof command, unknown>('the coordinator', command, toThem, toUs);
  them.onFrame((frame) => {
    if (frame.type === 'job') [wire.id, wire.spec] = [frame.id, frame.job.spec];
    const answer = (manners[frame.type] ?? honest[frame.type]) as (wire: Wire, frame: Command) => void;
    answer(wire, frame);
  });
  if (register !== null) wire.say(register);
  return streamLink<typeof report, Command>(name, report, toUs, toThem);
}

/** Answers the start with a result that differs from an honest one. */
const lying = (change: (result: SessionResult) => unknown): Manners => ({
  start: (wire, { id }) => {
    const result = change(resultOf(wire.spec));
    wire.say({ type: 'result', id, result });
  },
});
const lyingText = (change: (text: string) => string): Manners => ({
  start: (wire, { id }) => wire.raw(change(encodeFrame({ type: 'result', id, result: resultOf(wire.spec) }))),
});
const withHistogram = (histogram: (honest: string) => string): Manners =>
  lying((result) => {
    const { response } = result.detail!;
    response.histogram = histogram(response.histogram);
    return result;
  });

/** A compressed histogram around any payload. */
function compressed(payload: Buffer): string {
  const body = deflateSync(payload);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(0x1c849314, 0);
  head.writeUInt32BE(body.length, 4);
  return Buffer.concat([head, body]).toString('base64');
}

/** The header of a histogram and nothing behind it. */
function header(payloadBytes: number, digits: number, highest = 3_600_000_000_000n): Buffer {
  const bytes = Buffer.alloc(40);
  bytes.writeUInt32BE(0x1c849313, 0);
  bytes.writeUInt32BE(payloadBytes, 4);
  bytes.writeUInt32BE(digits, 12);
  bytes.writeBigUInt64BE(1n, 16);
  bytes.writeBigUInt64BE(highest, 24);
  return bytes;
}

const beyondRange = Buffer.from('efbfbdef9e0102a19f0102', 'hex');

/** Null: the row's client is no worse than it has to be, and counts like any other. */
const rows: readonly [string, Manners, RegExp | null][] = [
  [
    'text instead of a frame',
    { start: (wire) => wire.raw('Segmentation fault\n') },
    /x sent what is not a frame: 'Segm/,
  ],
  ['wrong JSON', { start: (wire) => wire.raw('{"type":\n') }, /x sent what is not a frame: '\{"type":'/],
  [
    'a frame of another protocol',
    { start: (wire) => wire.say({ type: 'exec' }) },
    /not a frame of this protocol: type/,
  ],
  [
    'a giant frame',
    { start: (wire) => wire.raw(Buffer.alloc(MAX_FRAME_BYTES + 2, 0x61)) },
    /a frame is longer than 4194304 bytes/,
  ],
  [
    'a truncated frame',
    {
      start: (wire) => {
        wire.raw('{"type":"result","id":1,');
        wire.close();
      },
    },
    /x closed the connection in the middle of a frame/,
  ],
  ['closes in mid-step', { start: (wire) => wire.close() }, /client x: x closed the connection$/m],
  ['closes when it gets a job', { job: (wire) => wire.close() }, /client x: x closed the connection$/m],
  [
    'the result twice',
    {
      start: (wire, frame) => {
        honest.start(wire, frame);
        honest.start(wire, frame);
      },
    },
    null,
  ],
  [
    'the result of another step, beside its own',
    {
      start: (wire, frame) => {
        wire.say({ type: 'result', id: frame.id + 7, result: resultOf(wire.spec) });
        honest.start(wire, frame);
      },
    },
    null,
  ],
  [
    'only the result of another step',
    { start: (wire, { id }) => honest.start(wire, { type: 'start', id: id - 1, atNs: 0 }) },
    /x sent no 'result' within/,
  ],
  ['pongs and no result', { start: () => {} }, /x sent no 'result' within/],
  [
    'a result too late',
    { start: (wire, frame) => void setTimeout(() => honest.start(wire, frame), 2500).unref() },
    /x sent no 'result' within/,
  ],
  ['never ready', { job: () => {} }, /x sent no 'ready' within 0.4 s/],
  [
    'silent from the job on',
    {
      job: (wire) => {
        wire.say = () => {};
      },
    },
    /x (has been silent for 0.5 s|sent no 'ready')/,
  ],
  ['NaN', lyingText((text) => text.replace('"durationS":0.1', '"durationS":NaN')), /not a frame: /],
  [
    'a number without end',
    lyingText((text) => text.replace('"durationS":0.1', '"durationS":1e999')),
    /result\.durationS: Invalid input/,
  ],
  [
    'a number beyond reason',
    lyingText((text) => text.replace('"netKBps":1', '"netKBps":1e308')),
    /result\.netKBps: Too big/,
  ],
  ['a negative count', lying((result) => ({ ...result, replies: -1 })), /result\.replies: Too small/],
  ['a negative time', lying((result) => ({ ...result, responseMs: -1 })), /result\.responseMs: Too small/],
  [
    'more connections than were asked',
    lying((result) => ({ ...result, connections: 1e9 })),
    /it started 1000000000 connections where 4 were asked/,
  ],
  [
    'more requests than its connections can make',
    lying((result) => ({ ...result, requests: 9 })),
    /4 connections made 9 requests where 2 on each were asked/,
  ],
  ['more replies than requests', lying((result) => ({ ...result, replies: 9 })), /8 requests had 9 replies/],
  [
    'no histogram',
    withHistogram(() => 'AAAA'),
    /x sent a result that cannot be: detail\.response is not a histogram/,
  ],
  [
    'a damaged histogram',
    withHistogram((text) => text.slice(0, text.length / 2)),
    /detail\.response is not a histogram/,
  ],
  [
    'another histogram',
    withHistogram(() => latencyOfHistogram(emptyHistogram()).histogram),
    /detail\.response counts 8 and its histogram 0/,
  ],
  // 64 MB in a frame of 90 KB; the histograms below claim a length and a size that they have not.
  [
    'a bomb',
    withHistogram(() => compressed(Buffer.alloc(1 << 26))),
    /detail\.response is not a histogram of ours/,
  ],
  [
    'a histogram that claims 2 GB',
    withHistogram(() => compressed(header(0x7fffffff, 3))),
    /its header is not ours/,
  ],
  [
    'a histogram whose counts lie beyond its range, which the library would look for without end',
    withHistogram(() => compressed(Buffer.concat([header(11, 3, 239n), beyondRange]))),
    /its header is not ours/,
  ],
  ['a histogram of nine digits', withHistogram(() => compressed(header(0, 9))), /its header is not ours/],
  [
    'escape sequences in a reason',
    { start: (wire, { id }) => wire.say({ type: 'failed', id, reason: '\x1b]0;pwned\x07\x9b2J\u202eok\n' }) },
    /client x: \\u\{1b\}\]0;pwned\\u\{7\}\\u\{9b\}2J\\u\{202e\}ok\\u\{a\}$/m,
  ],
  [
    'escape sequences instead of a frame',
    { start: (wire) => wire.raw('\x1b[2J\n') },
    /not a frame: '\\u\{1b\}\[2J'/,
  ],
  [
    'a reason of 1 MB',
    { start: (wire, { id }) => wire.say({ type: 'failed', id, reason: 'a'.repeat(1e6) }) },
    /reason: Too big/,
  ],
];

for (const [name, manners, said] of rows)
  test(`an agent beside an honest one: ${name}`, async () => {
    const fleet = await Fleet.open([agent('good', {}), agent('x', manners)], undefined, patience);
    try {
      const spec = sessions('x', 1, { connections: 8, rate: 1000, timeoutMs: 20 });
      const { result, problems, parts } = await fleet.run('session', spec);
      const told = problems.join('\n');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be said
      assert.doesNotMatch(told.replaceAll('\n', ''), /[\x00-\x1f\x7f-\x9f]/);
      assert.ok(parts.find((part) => part.name === 'good')?.result);
      if (said) assert.match(told, said);
      else assert.equal(told, '');
      assert.equal(result!.connections, said ? 4 : 8);
      assert.equal(result!.detail!.response.count, result!.replies);
      if (!said) return;
      // Whoever was given up is named again, and the ramp goes on.
      const next = await fleet.run('session', spec);
      assert.ok(next.result);
      if (fleet.dropped.length > 0)
        assert.match(next.problems.join('\n'), /client x was given up before: x /);
    } finally {
      await fleet.close();
    }
  });

// One that is no use from the beginning ends the ramp before it begins.
const unusable: readonly [string, Manners, unknown, RegExp][] = [
  ['never registers', {}, null, /^x did not register within 0.4 s/],
  [
    'never answers pings',
    { ping: () => {} },
    registration('x'),
    /^x (does not answer pings|has been silent)/,
  ],
  [
    'speaks, and never answers pings',
    { ping: (wire) => wire.say({ type: 'ready', id: 99 }) },
    registration('x'),
    /^x does not answer pings/,
  ],
  [
    'answers pings before they were sent',
    { ping: (wire, { id }) => wire.say({ type: 'pong', id, receivedNs: 5, sentNs: 4 }) },
    registration('x'),
    /^x answered a ping with times that cannot be/,
  ],
  [
    'took longer over pings than they were under way',
    { ping: (wire, { id }) => wire.say({ type: 'pong', id, receivedNs: 0, sentNs: 1e12 }) },
    registration('x'),
    /^x answered a ping with times that cannot be/,
  ],
  ['speaks another version', {}, { ...registration('x'), protocol: 9 }, /^x speaks protocol 9, this is 1/],
  ['has a name for a terminal', {}, registration('\x1b[2J'), /name: must be letters/],
  ['has no cores', {}, { ...registration('x'), facts: { ...facts, cores: 0 } }, /facts\.cores: Too small/],
  ['refuses with escapes', {}, { type: 'refused', reason: '\x1b[31mno' }, /x refused: \\u\{1b\}\[31mno/],
];
for (const [name, manners, register, said] of unusable)
  test(`an agent that ${name}`, () =>
    assert.rejects(
      Fleet.open([agent('good', {}), agent('x', manners, register)], undefined, patience),
      ({ message }: Error) => {
        assert.match(message, said);
        return true;
      },
    ));

test('facts reach a terminal as text', async () => {
  const kernel = '\x1b]0;x\x07';
  const fleet = await Fleet.open(
    [agent('x', {}, { ...registration('x'), facts: { ...facts, kernel } })],
    undefined,
    patience,
  );
  assert.equal(fleet.clients[0]!.facts.kernel, '\\u{1b}]0;x\\u{7}');
  await fleet.close();
});

test('a histogram of ours is read as it was written', () => {
  const histogram = emptyHistogram();
  for (const value of [1, 5000, 3_599_999_999_999]) histogram.recordValue(value);
  assert.equal(decodeHistogram(latencyOfHistogram(histogram).histogram).totalCount, 3);
});

// The other direction: what an agent on stdio says of a coordinator that is none.
for (const [name, input, code, said] of [
  ['garbage', 'GET / HTTP/1.1\r\n\r\n', 1, /^dispatchbench: the coordinator sent what is not a frame: 'GET/],
  ['a giant frame', 'a'.repeat(MAX_FRAME_BYTES + 2), 1, /a frame is longer than 4194304 bytes/],
  ['half a frame', '{"type":"pi', 1, /closed the connection in the middle of a frame/],
  ['a farewell', '{"type":"bye"}\n', 0, /^$/],
  ['nothing', '', 0, /^$/],
] as const)
  test(`the agent on stdio: ${name} ends it with code ${code}`, () => {
    const { status, stderr } = dispatchbench.fed(input, 'agent', '--name', 'x');
    assert.match(stderr, said);
    assert.equal(status, code);
  });

test('an empty message, or nonsense, on the call subject leaves an agent where it was', () => {
  let called: (error: null, message: { string(): string; json(): unknown }) => void = () => {};
  const connection = {
    subscribe: (_: string, { callback }: { callback: typeof called }) => {
      called = callback;
    },
  } as unknown as NatsConnection;
  const answered: string[] = [];
  const us = { fleet: 'f', name: 'x', caller: 'c' };
  answerNatsCalls(connection, us, command, () => void answered.push('call'));
  const publish = (text: string) => called(null, { string: () => text, json: () => JSON.parse(text) });
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"session":"s","agents":["y"]}',
    '{"session":"a b","agents":["x"]}',
  ])
    publish(text);
  assert.deepEqual(answered, []);
  publish('{"session":"s","agents":["x"]}');
  assert.deepEqual(answered, ['call']);
});
