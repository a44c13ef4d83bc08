/**
 * The native and the TypeScript HTTP parser are one machine written twice: over generated inputs, cut anywhere, they must
 * agree in every field at every stop. Then garbage over real sockets: every server answers what the parser says.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { COMPLETE, HttpRequest, PROCEED, REJECTED } from '../../servers/http-request.js';
import { answerTo, CONTINUE, refusalOf, responses } from '../../servers/http-response.js';
import { packageRoot } from '../../src/addon.js';
import { type Random, randomFrom } from '../../src/statistics/random.js';
import { exchange } from './client.js';
import { httpParse, typescriptParse } from './http-rows.js';
import { nameOf, oneOfEach, withServer } from './table.js';

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
const upTo = (random: Random, most: number): number => Math.floor(random() * (most + 1));

const methods = [
  'GET',
  'HEAD',
  'POST',
  'HEADS',
  'HEA',
  'x',
  '!#$',
  '',
  'GE T',
  'head',
  'CONNECT',
  'CONNECTS',
  'CONN',
  'connect',
];
const targets = ['/', '/index.html?a=b', '*', 'http://x/', '', '/ä', '/\u0001', '/a b'];
const versions = [
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.9',
  'HTTP/2.0',
  'HTTP/11',
  'http/1.1',
  'HTTP/1.',
  'HTTP/x.1',
  '',
];
const names = [
  'Host',
  'hOsT',
  'Connection',
  'Content-Length',
  'content-length',
  'Transfer-Encoding',
  'Expect',
  'Hosts',
].concat(['Con', 'Contact', 'Content-Lengthy', 'X-Any', 'Connections', '', 'A b', 'E', 'expec', 'Host ']);
const values = [
  'x',
  'close',
  'keep-alive',
  'Close, foo',
  'foo,keep-alive , bar',
  'close d',
  '0',
  '5',
  '17',
  '007',
  '5 5',
  ' 5 ',
]
  .concat([
    '-1',
    '1e3',
    '999999999999999',
    '9999999999999999',
    '100-continue',
    '100-Continue ',
    '100-continue, x',
    'chunked',
  ])
  .concat([
    '',
    '\t',
    'a\u0000b',
    'tab\there',
    'ÿ',
    '\u007f',
    'x'.repeat(300),
    ',',
    'close,close',
    'keep-alivex',
  ]);
const ends = ['\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\r\r\n', ''];

function generated(random: Random): Buffer {
  let text = '';
  for (let requests = 1 + upTo(random, 2); requests > 0; requests--) {
    const plain = random() < 0.6;
    const method = plain ? pick(random, methods.slice(0, 3)) : pick(random, methods);
    const target = plain ? '/' : pick(random, targets);
    const version = plain ? pick(random, versions.slice(0, 2)) : pick(random, versions);
    const end = () => (plain ? '\r\n' : pick(random, ends));
    text += `${method} ${target} ${version}${end()}`;
    if (random() < 0.8) text += `Host: x${end()}`;
    for (let fields = upTo(random, 4); fields > 0; fields--) {
      text += `${pick(random, names)}${random() < 0.95 ? ':' : ' :'}${pick(random, ['', ' ', '\t '])}`;
      text += `${pick(random, values)}${end()}`;
    }
    if (random() < 0.05) text += 'Expect: 100-continue\r\nContent-Length: 3\r\n';
    text += end() + 'b'.repeat(upTo(random, 20));
  }
  if (random() < 0.003) text = text.replace('/', `/${'long'.repeat(1900 + upTo(random, 300))}`);
  const bytes = Buffer.from(text, 'latin1');
  for (let flips = random() < 0.3 ? 1 + upTo(random, 3) : 0; flips > 0 && bytes.length > 0; flips--) {
    bytes[upTo(random, bytes.length - 1)] = upTo(random, 255);
  }
  return bytes;
}

function cutsOf(random: Random, length: number): number[] {
  const count = random() < 0.5 ? 0 : upTo(random, 6);
  return Array.from({ length: count }, () => upTo(random, length)).sort((a, b) => a - b);
}

test('both parsers skip runs of bytes in the same states', () => {
  const skipped = (path: string, from: string) => {
    const text = readFileSync(join(packageRoot, path), 'utf8');
    const body = text.slice(text.indexOf(from)).split('\n\n')[0]!;
    return [...body.matchAll(/case (\w+):/g)].map(([, state]) => state!.toLowerCase());
  };
  const native = skipped('native/servers/http_request.cc', 'const std::uint8_t* skip_run(');
  assert.deepEqual(native, ['value_other', 'target', 'field_name', 'method', 'version']);
  assert.deepEqual(skipped('servers/http-request.ts', '  #skipRun('), native);
});

test('native and TypeScript parser agree in every field over 120 000 inputs', () => {
  const seed = 20_240_607;
  const random = randomFrom(seed);
  const seen = new Map<string, number>();
  for (let i = 0; i < 120_000; i++) {
    const bytes = generated(random);
    const cuts = cutsOf(random, bytes.length);
    const expected = httpParse(bytes, cuts);
    assert.deepEqual(
      typescriptParse(bytes, cuts),
      expected,
      `seed ${seed}, input ${i}: ${JSON.stringify(bytes.toString('latin1'))} cut at [${cuts}]`,
    );
    for (const [parsed, , status] of expected) {
      const outcome = `${parsed}/${status}`;
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    }
  }
  // The generator is worth something only when it reaches every outcome.
  for (const outcome of ['0/0', '1/0', '2/0', '3/400', '3/417', '3/431', '3/501', '3/505']) {
    assert.ok(
      (seen.get(outcome) ?? 0) > 20,
      `outcome ${outcome}: only ${seen.get(outcome) ?? 0} of the inputs`,
    );
  }
});

test('cutting an input never changes what it means', () => {
  const random = randomFrom('cuts');
  const stops = (rows: number[][]) =>
    rows.filter(([parsed]) => parsed !== 0).map(([parsed, , status, flags]) => [parsed, status, flags]);
  for (let i = 0; i < 5000; i++) {
    const bytes = generated(random);
    const everywhere = Array.from({ length: bytes.length }, (_, at) => at);
    assert.deepEqual(
      stops(httpParse(bytes, everywhere)),
      stops(httpParse(bytes, [])),
      bytes.toString('latin1'),
    );
  }
});

/** What a server has to send for these bytes, followed by our FIN. */
function expectedReply(bytes: Uint8Array): Buffer {
  const request = new HttpRequest();
  const reply: Buffer[] = [];
  for (let at = 0; at < bytes.length; at = request.taken) {
    const parsed = request.feed(bytes, at, bytes.length);
    if (parsed === PROCEED) reply.push(responses[CONTINUE]!);
    if (parsed === COMPLETE) reply.push(responses[answerTo(request)]!);
    if (parsed === REJECTED) reply.push(responses[refusalOf(request.status)]!);
    if (parsed === REJECTED || (parsed === COMPLETE && !request.keepsAlive)) break;
  }
  return Buffer.concat(reply);
}

for (const kind of oneOfEach) {
  test(`2000 broken inputs over sockets: ${nameOf(kind)}`, async () => {
    await withServer(kind, 'http', async (port, server) => {
      const random = randomFrom('sockets');
      for (let i = 0; i < 2000; ) {
        const inputs = Array.from({ length: 40 }, () => generated(random));
        i += inputs.length;
        await Promise.all(
          inputs.map(async (bytes) => {
            const got = await exchange(port, [bytes], { finish: true });
            const label = JSON.stringify(bytes.toString('latin1'));
            assert.equal(got.ended, 'end', label);
            assert.equal(got.bytes.toString('latin1'), expectedReply(bytes).toString('latin1'), label);
          }),
        );
      }
      const { rejected, requests } = await server.snapshot();
      assert.ok(rejected > 200 && requests > 200, `${rejected} rejected, ${requests} answered`);
    });
  });
}
