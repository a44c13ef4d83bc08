import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noFailures, type SessionResult, sampleMs } from '../../src/contract/ramp.js';
import { parseHttperf } from '../../src/httperf/parse.js';
import { parseConfig } from '../../src/ramp/config.js';
import { rates, resolveRamp, stepSpec } from '../../src/ramp/options.js';
import { autobenchHeader, autobenchLine, perlNumber } from '../../src/report/autobench.js';
import { httperfOutput } from '../support/httperf-output.js';

test('httperf output is read whole', () => {
  const { failures, ...rest } = parseHttperf(httperfOutput);
  assert.deepEqual(failures, {
    'client-timo': 1,
    'socket-timo': 2,
    connrefused: 3,
    connreset: 4,
    'fd-unavail': 5,
    addrunavail: 6,
    'ftab-full': 7,
    other: 8,
  });
  assert.deepEqual(rest, {
    event: 'result',
    client: 'httperf',
    connections: 300,
    requests: 1200,
    replies: 1188,
    durationS: 5.981,
    maxConcurrent: 4,
    connectMs: 0.1,
    responseMs: 0.6,
    transferMs: 0.2,
    replyRate: { min: 199.2, avg: 200, max: 200.8, stddev: 1.1, samples: 2, intervalS: 5 },
    status: [0, 1180, 1, 3, 4],
    netKBps: 37,
    cpu: { userS: 1.43, systemS: 3.71 },
    detail: null,
  });
});

test('the spelling of the thesis ("avq") is read, and a missing line is named', () => {
  assert.equal(parseHttperf(httperfOutput.replace('avg 200.0', 'avq 200.0')).replyRate.avg, 200);
  assert.throws(() => parseHttperf(httperfOutput.replace(/^Reply time.*$/m, '')), /no 'Reply time' line/);
  assert.throws(() => parseHttperf(''), /no 'Total:' line; it ends with: \(nothing\)/);
});

const table = { hosts: ['www'], calls: 4, format: 'tsv', distributed: false } as const;
const first = (line: string, columns: number): string =>
  line.trimEnd().split('\t').slice(0, columns).join('\t');

test('the first ten columns are autobench 2.1.1 to the byte', () => {
  assert.equal(
    first(autobenchHeader(table), 10),
    'dem_req_rate\treq_rate_www\tcon_rate_www\tmin_rep_rate_www\tavg_rep_rate_www\tmax_rep_rate_www\tstddev_rep_rate_www\tresp_time_www\tnet_io_www\terrors_www',
  );
  // 100 * 36 / 1188 as Perl prints it.
  assert.equal(
    first(autobenchLine(table, { rate: 50, results: [parseHttperf(httperfOutput)] }), 10),
    '200\t200.6\t50.2\t199.2\t200.0\t200.8\t1.1\t0.6\t37.0\t3.03030303030303',
  );
});

test('our columns come only after autobench_admin has had its status columns', () => {
  const distributed = { ...table, distributed: true };
  const header = autobenchHeader(distributed).trimEnd().split('\t');
  const line = autobenchLine(distributed, { rate: 50, results: [parseHttperf(httperfOutput)] });
  assert.deepEqual(
    header.slice(9, 15),
    ['errors', 'status_100', 'status_200', 'status_300', 'status_400', 'status_500'].map(
      (name) => `${name}_www`,
    ),
  );
  const values = line.replace(/\n$/, '').split('\t');
  assert.deepEqual(values.slice(10, 15), ['0', '1180', '1', '3', '4']);
  assert.equal(values.length, header.length);
});

test('two hosts: nine columns each, side by side as autobench writes them, then ours', () => {
  const two = { ...table, hosts: ['a', 'b'], format: 'csv' } as const;
  const header = autobenchHeader(two).trimEnd().split(',');
  assert.equal(header[10], 'req_rate_b');
  assert.equal(header[18], 'errors_b');
  assert.match(header[19]!, /^resp_p50_ms_a$/);
});

test('no reply at all is 101 percent errors', () => {
  const none: SessionResult = {
    ...parseHttperf(httperfOutput),
    replies: 0,
    failures: { ...noFailures(), connrefused: 300 },
  };
  assert.equal(autobenchLine(table, { rate: 50, results: [none] }).split('\t')[9], '101');
});

// Each row: a number and what `perl -e 'print ...'` prints for it.
for (const [value, printed] of [
  [0, '0'],
  [45000, '45000'],
  [0.1 + 0.2, '0.3'],
  [100 / 3, '33.3333333333333'],
  [0.0001, '0.0001'],
  [0.00001, '1e-05'],
  [100 / 7e6, '1.42857142857143e-05'],
  [1e15, '1e+15'],
  [123456789012345, '123456789012345'],
] as const)
  test(`perlNumber(${value})`, () => assert.equal(perlNumber(value), printed));

test('a configuration file: comments, spaces, doubled keys and nonsense', () => {
  const { values, warnings } = parseConfig(
    '# comment\n  # indented\n\nhost1 = a b \nlow_rate=10\nlow_rate = 20\nwhat\nhttperf_hog = NULL\n',
    'x.conf',
  );
  assert.deepEqual(
    [...values],
    [
      ['host1', 'a b'],
      ['low_rate', '10'],
      ['httperf_hog', 'NULL'],
    ],
  );
  assert.deepEqual(warnings, [
    "x.conf:6: 'low_rate' is set twice, the first one counts",
    "x.conf:7: not 'key = value', ignored: what",
  ]);
});

test('the command line wins over the file, the file over autobench defaults', () => {
  const config = parseConfig('host1 = file\nlow_rate = 30\nhigh_rate = 60\nhttperf_add-header = X: y\n', 'c');
  const ramp = resolveRamp(config, { host1: 'line', num_call: 100, client: 'httperf' });
  assert.deepEqual(rates(ramp.options), [30, 40, 50, 60]);
  assert.deepEqual(ramp.hosts, [{ host: 'line', port: 80, uri: '/' }]);
  assert.deepEqual([...ramp.httperf], [['add-header', 'X: y']]);
  const spec = stepSpec(ramp, ramp.hosts[0]!, 30);
  assert.equal(spec.connections, 5000);
  assert.equal(spec.calls, 100);
  assert.equal(spec.timeoutMs, 5000);
});

test('a server of ours takes the place of the one in the file', () => {
  const ramp = resolveRamp(parseConfig('host1 = a\nhost2 = b\n', ''), { backend: 'poll' });
  assert.deepEqual([ramp.options.backend, ramp.hosts], ['poll', []]);
});

test('--const_test_time sets the number of connections from the rate', () => {
  const ramp = resolveRamp(parseConfig('', ''), { host1: 'h', const_test_time: '10' });
  assert.equal(stepSpec(ramp, ramp.hosts[0]!, 70).connections, 700);
});

for (const [name, given, message] of [
  ['host1', {}, /--host1 is missing/],
  ['pair of servers', { host1: 'h', backend: 'poll' }, /--backend starts a server of ours/],
  ['client of ours', { backend: 'poll', clients: 'local' }, /--clients load a server that runs/],
  ['rates', { host1: 'h', low_rate: 10, high_rate: 5 }, /--low_rate 10 is above --high_rate 5/],
  ['const_test_time', { host1: 'h', const_test_time: 9 }, /at least 10/],
  ['output_fmt', { host1: 'h', output_fmt: 'xls' }, /--output_fmt/],
  ['num_call', { host1: 'h', num_call: 'many' }, /--num_call/],
] as const)
  test(`refuses a bad ${name}`, () => assert.throws(() => resolveRamp(parseConfig('', ''), given), message));

test('a uri that would split the request is refused', () => {
  const ramp = resolveRamp(parseConfig('', ''), { host1: 'h', uri1: '/ HTTP/1.1\r\nX: y' });
  assert.throws(() => stepSpec(ramp, ramp.hosts[0]!, 20), /--uri: must be printable ASCII/);
});

test('short steps are sampled more often than every 5 s', () => {
  assert.equal(sampleMs(100), 5000);
  assert.equal(sampleMs(2.2), 440);
  assert.equal(sampleMs(0.01), 50);
});
