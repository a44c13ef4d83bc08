/** How a link is written, and in what words a description is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identifier } from '../../src/contract/sample.js';
import { parseLink } from '../../src/hosts/link-text.js';
import { netemTotals, netemWords } from '../../src/hosts/netem.js';
import { withLink } from '../../src/hosts/registry.js';
import { relayCpu } from '../../src/hosts/relay.js';
import { dispatchbench } from '../support/command.js';

const plain = { delayNs: 0, lossShare: 0, bitsPerSecond: null, limitPackets: 100_000 };

for (const [text, up, down, name] of [
  ['delay=20ms', { delayNs: 20e6 }, { delayNs: 20e6 }, '20ms'],
  ['delay=1.5ms', { delayNs: 1.5e6 }, { delayNs: 1.5e6 }, '1.5ms'],
  ['delay=0s', {}, {}, '0s'],
  [
    'delay=250us loss=0.5%',
    { delayNs: 250e3, lossShare: 0.005 },
    { delayNs: 250e3, lossShare: 0.005 },
    '250us-0.5pct',
  ],
  ['loss=100%', { lossShare: 1 }, { lossShare: 1 }, '0ms-100pct'],
  [
    'delay=20ms loss=1% rate=100mbit',
    { delayNs: 20e6, lossShare: 0.01, bitsPerSecond: 100e6, limitPackets: 1000 },
    { delayNs: 20e6, lossShare: 0.01, bitsPerSecond: 100e6, limitPackets: 1000 },
    '20ms-1pct-100mbit',
  ],
  [
    '  up:rate=10mbit\tdown:rate=1gbit delay=5ms limit=50 ',
    { delayNs: 5e6, bitsPerSecond: 10e6, limitPackets: 50 },
    { delayNs: 5e6, bitsPerSecond: 1e9, limitPackets: 50 },
    'up-5ms-10mbit-limit50-down-5ms-1gbit-limit50',
  ],
  ['up:loss=1%', { lossShare: 0.01 }, {}, 'up-0ms-1pct-down-0ms'],
  ['up:delay=1ms delay=2ms', { delayNs: 1e6 }, { delayNs: 2e6 }, 'up-1ms-down-2ms'],
  [
    'rate=56kbit',
    { bitsPerSecond: 56e3, limitPackets: 1000 },
    { bitsPerSecond: 56e3, limitPackets: 1000 },
    '0ms-56kbit',
  ],
] as const) {
  test(`'${text}' is read`, () => {
    const link = parseLink(text);
    assert.deepEqual(
      [link.up, link.down],
      [
        { ...plain, ...up },
        { ...plain, ...down },
      ],
    );
    assert.deepEqual([link.means, link.seed], [null, null]);
    assert.equal(link.name, name);
    assert.ok(identifier.safeParse(`netns-${link.name}`).success);
  });
}

test('a seed asks for the relay, and both stand in the name', () => {
  assert.deepEqual(
    [parseLink('loss=1% seed=7').means, parseLink('loss=1% seed=7').seed, parseLink('loss=1% seed=7').name],
    ['relay', 7, '0ms-1pct-seed7'],
  );
  assert.equal(parseLink('delay=1ms means=netem').means, 'netem');
});

for (const [text, refusal] of [
  ['', /a link needs a description, as in 'delay=20ms loss=1% rate=100mbit'/],
  ['fast', /'fast' describes no link: write KEY=VALUE/],
  ['delay 20ms', /'delay' describes no link/],
  ['jitter=1ms', /a link has no 'jitter': known are delay, loss, rate, limit, means, seed/],
  ['left:delay=1ms', /'left:delay=1ms' describes no link: .*up: or down:/],
  ['delay=20', /the link's 'delay=20' needs a unit, as in 20ms/],
  ['delay=-1ms', /the link's 'delay=-1ms' must be from 0s to 10s/],
  ['delay=11s', /must be from 0s to 10s/],
  ['delay=', /the link's 'delay=' needs a unit/],
  ['loss=0.01', /the link's 'loss=0.01' must be a percentage, as in 1%/],
  ['loss=101%', /must be from 0% to 100%/],
  ['loss=-1%', /must be from 0% to 100%/],
  ['rate=0mbit', /the link's 'rate=0mbit' must be above 0/],
  ['rate=-5mbit', /must be above 0/],
  ['rate=100mbps', /the link's 'rate=100mbps' needs a unit, as in 100mbit \(bit, kbit, mbit or gbit\)/],
  ['limit=0', /must be a whole number from 1 to 1000000/],
  ['limit=2.5', /must be a whole number/],
  ['means=magic', /must be 'netem' or 'relay'/],
  ['up:means=relay', /the link's 'up:means=relay' is of both directions/],
  ['delay=1ms delay=2ms', /the link's 'delay=2ms' says what another word says already/],
  ['seed=1 means=netem', /the link's seed is the relay's/],
  [`up:delay=0.${'1'.repeat(50)}s down:delay=0.${'2'.repeat(50)}s`, /too long for the name of a host/],
  ['toString=1', /a link has no 'toString'/],
] as const) {
  test(`'${text}' is refused`, () => assert.throws(() => parseLink(text), refusal));
}

test('hosts that can have no link say so, and what can', () => {
  assert.equal(withLink('netns', 'delay=1ms'), 'netns:delay=1ms');
  assert.throws(
    () => withLink('local', 'delay=1ms'),
    /the host 'local' can have no emulated link: --link needs --host netns/,
  );
  assert.throws(() => withLink('docker:host', 'delay=1ms'), /'docker:host' can have no emulated link/);
  assert.throws(() => withLink('netns:delay=1ms', 'loss=1%'), /has a link already/);
  assert.throws(() => withLink('netns', 'delay=1'), /needs a unit/);
});

test('commands refuse a link in one sentence and measure nothing', () => {
  for (const [args, refusal] of [
    [['run', 'udp-ports', '--link', 'delay=1ms'], /the host 'local' can have no emulated link/],
    [['run', 'udp-ports', '--host', 'netns', '--link', 'rate=0bit'], /must be above 0/],
    [['knee', '--backend', 'poll', '--link', 'delay=1ms'], /the host 'local' can have no emulated link/],
  ] as const) {
    const { status, stderr, stdout } = dispatchbench(...args);
    assert.equal(status, 1, stderr);
    assert.match(stderr, refusal);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
    assert.equal(stdout, '');
  }
});

test('netem is asked for a link in its own words', () => {
  assert.deepEqual(netemWords(parseLink('delay=20ms loss=1% rate=100mbit').up), [
    ...['limit', '1000', 'delay', '20000us', 'loss', '1%', 'rate', '100000000bit'],
  ]);
  assert.deepEqual(netemWords(parseLink('loss=0.0001%').up).slice(4), ['loss', '0.0001%']);
});

test('what tc prints of a netem is read, and its absence told', () => {
  const row = { handle: '8001:', root: true, refcnt: 2, options: { limit: 1000 }, overlimits: 0, backlog: 0 };
  const netem = { ...row, kind: 'netem', bytes: 1500, packets: 3, drops: 2, qlen: 1 };
  const { bytes, packets, drops, qlen } = netemTotals(JSON.stringify([netem]));
  assert.deepEqual([bytes, packets, drops, qlen], [1500, 3, 2, 1]);
  assert.throws(
    () => netemTotals(JSON.stringify([{ ...netem, kind: 'noqueue' }])),
    /the netem of the link is gone/,
  );
});

test('the relay gets a CPU of neither side where there is one, and never the server’s beside another', () => {
  const alone = (cpu: number) => [cpu];
  const cores = (cpu: number) => (cpu % 2 === 0 ? [cpu, cpu + 1] : [cpu - 1, cpu]);
  assert.equal(relayCpu([], alone), null);
  assert.equal(relayCpu([0], alone), 0);
  assert.equal(relayCpu([0, 1], alone), 0);
  assert.equal(relayCpu([0, 1, 2], alone), 1);
  assert.equal(relayCpu([0, 1, 2, 3, 4, 5], cores), 2);
  assert.equal(relayCpu([0, 1, 2, 3], cores), 1);
});
