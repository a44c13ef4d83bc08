/** iperf3 as the peer of our transfers: what it is asked, what it says, and what it says when it cannot. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { iperf3Client, iperf3Server, parseIperf3 } from '../../src/iperf3/iperf3.js';
import { kindOf } from '../../src/trials/registry.js';
import { dispatchbench } from '../support/command.js';

const spec = {
  ...{ address: '10.0.0.1', port: 5201, streams: 8, chunk: 65_536 },
  ...{ congestion: 'cubic', durationMs: 1600, zeroCopy: false },
};

test('iperf3 is asked for the same streams, chunk, time and congestion control', () => {
  assert.equal(
    iperf3Client(spec).join(' '),
    '--client 10.0.0.1 --port 5201 --parallel 8 --length 65536 --congestion cubic --time 2 --json',
  );
  assert.ok(iperf3Client({ ...spec, zeroCopy: true }).includes('--zerocopy'));
  assert.deepEqual(iperf3Server(spec).slice(0, 4), ['--server', '--one-off', '--bind', '10.0.0.1']);
});

test('its summary is read, and its refusal is told in its own words', () => {
  const end = {
    sum_sent: { bytes: 2_100, retransmits: 3 },
    sum_received: { bytes: 2_000, seconds: 2, bits_per_second: 8_000 },
    cpu_utilization_percent: { host_total: 25, remote_total: 75.5 },
    sender_tcp_congestion: 'cubic',
  };
  assert.deepEqual(parseIperf3(JSON.stringify({ start: { version: 'iperf 3.12' }, intervals: [], end })), {
    ...{ bytes: 2_000, seconds: 2, cpuS: { sender: 0.5, receiver: 1.51 }, retransmits: 3 },
    ...{ congestion: 'cubic', version: 'iperf 3.12' },
  });
  for (const [text, says] of [
    [JSON.stringify({ end: {}, error: 'unable to connect to server' }), /^iperf3 says: unable to connect/],
    [JSON.stringify({ end: { ...end, sum_received: {} } }), /no summary/],
    ['usage\niperf3: parameter error - too many\n', /^iperf3 says: parameter error - too many$/],
    ['', /no JSON/],
  ] as const) {
    assert.throws(() => parseIperf3(text), { message: says });
  }
});

test('where there is no iperf3, it is said how to get it', () => {
  const path = process.env.PATH;
  process.env.PATH = '/nonexistent';
  try {
    const { missing } = kindOf({ kind: 'transfer' }).needs({ kind: 'transfer', ...spec, by: 'iperf3' });
    assert.equal(missing, 'there is no program iperf3: install it (Debian: apt-get install iperf3)');
  } finally {
    process.env.PATH = path;
  }
});

const skip = spawnSync('iperf3', ['--version']).error ? 'iperf3 is not installed' : false;

test('transfer --peer iperf3 has it in a row of its own, and ours against it', { skip }, () => {
  const { status, stdout, stderr } = dispatchbench(
    ...['transfer', '--duration', '50ms', '--streams', '2', '--way', 'copy', '--congestion', 'reno'],
    ...['--peer', 'iperf3', '--repeat', '1'],
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, /│ iperf3 +│ 2 /);
  assert.match(stdout, /streams 2: copy against iperf3: [\d.]+/);
});

test('what iperf3 refuses ends transfer with its words', { skip }, () => {
  const { status, stderr } = dispatchbench(
    ...['transfer', '--duration', '20ms', '--streams', '200', '--way', 'copy', '--congestion', 'reno'],
    ...['--peer', 'iperf3', '--repeat', '1'],
  );
  assert.equal(status, 1);
  assert.match(stderr, /iperf3 says: .*too large/);
});
