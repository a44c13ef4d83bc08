/** What wrk prints, in all the units it has, and what is missing in it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseWrk, wrkArguments } from '../../src/wrk/wrk.js';

const output = (latency: string, ending: string) => `Running 1s test @ http://127.0.0.1:8080/
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   ${latency}   71.01%
    Req/Sec    38.90k     2.32k   42.34k    70.00%
  Latency Distribution
     50%  189.00us
     75%    1.20ms
     90%    2.50s 
     99%    1.10m 
  ${ending}
Requests/sec:  38690.16
Transfer/sec:      4.65MB
`;

describe("wrk's text", () => {
  it('is read with its units', () => {
    const figures = parseWrk(output('203.21us   75.43us   2.85ms', '38691 requests in 1.00s, 4.65MB read'));
    assert.equal(figures.requests, 38_691);
    assert.equal(figures.durationNs, 1e9);
    assert.ok(Math.abs(figures.bytesRead - 4.65 * 1024 ** 2) < 1);
    const { mean, max, p50, p90, p99 } = figures.latencyMs;
    for (const [value, expected] of [
      [mean, 0.203_21],
      [max, 2.85],
      [p50, 0.189],
      [p90, 2500],
      [p99, 66_000],
    ] as const)
      assert.ok(Math.abs(value - expected) < 1e-9 * expected, `${value} ${expected}`);
    assert.deepEqual(figures.errors, { connect: 0, read: 0, write: 0, timeout: 0, status: 0 });
  });

  it('has its errors', () => {
    const ending =
      '12 requests in 2.10m, 0.90KB read\n  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 5';
    const { errors, durationNs, latencyMs } = parseWrk(output('-nanus  -nanus  0.00us', ending));
    assert.deepEqual(errors, { connect: 1, read: 2, write: 3, timeout: 4, status: 5 });
    assert.ok(Math.abs(durationNs - 126e9) < 1);
    assert.equal(latencyMs.mean, 0);
  });

  it('is refused in one sentence where a line is missing', () => {
    assert.throws(
      () => parseWrk('unable to connect to 127.0.0.1:1 Connection refused\n'),
      /wrk's output has no 'Latency' line; it ends with: unable to connect/,
    );
    assert.throws(() => parseWrk(''), /\(nothing\)/);
  });
});

it('wrk gets whole seconds and no more threads than connections', () => {
  const args = wrkArguments({
    target: { host: '127.0.0.1', port: 80 },
    path: '/x?y=1',
    connections: 2,
    threads: 4,
    durationS: 0.4,
    timeoutS: 15,
  });
  assert.deepEqual(args, [
    ...['--threads', '2', '--connections', '2', '--duration', '1s', '--timeout', '15s'],
    ...['--latency', 'http://127.0.0.1:80/x?y=1'],
  ]);
});
