/** The tables of the report on gateways, in its own layout: figures whose truth is known. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gatewayTables } from '../../src/report/gateway-tables.js';
import type { Sample } from '../../src/trials/sample.js';

const host = {
  name: 'local',
  kernel: 'Linux 6.1.0',
  cpuModel: 'a CPU',
  vcpus: 2,
  memoryBytes: 2 ** 30,
  hypervisor: null,
};

const sample = (experiment: string, cell: object, measurements: object, block = 0, status = 'ok') =>
  ({
    experiment,
    cell,
    measurements,
    block,
    status,
    host,
    startedAt: '2026-01-01T00:00:00.000Z',
  }) as unknown as Sample;

const start = (ms: number, asking = 'curl') =>
  sample(
    'gateway-cold-start',
    { impl: 'native_local', asking },
    { start: { kind: 'start', firstReplyNs: ms * 1e6 } },
  );

const snapshot = (userUs: number) => ({
  monotonicNs: 0,
  requests: null,
  cpu: { userUs, systemUs: 0 },
  rssBytes: 2 ** 20,
  tree: { pssBytes: 2 ** 20, processesStarted: 1 },
});
/** A second of wrk at which the gateway was busy for half of it. */
const wrk = (requests: number, block: number, status?: string) =>
  sample(
    'gateway-throughput',
    { impl: 'native_local', workload: 'hello', client: 'wrk', connections: 100 },
    {
      closed: {
        kind: 'wrk',
        wrk: { requests, durationNs: 1e9, busyShare: 1, latencyMs: { p50: 1 }, errors: {} },
        before: snapshot(0),
        after: snapshot(500_000),
      },
    },
    block,
    status,
  );

describe("the report's tables", () => {
  it('have percentiles of single starts, asked as the report asks', () => {
    const tables = gatewayTables([...[10, 30, 20, 40].map((ms) => start(ms)), start(1, 'steadily')]);
    assert.equal(
      tables.get('summary/cold_start_percentiles.csv'),
      'variant,p50_ms,p90_ms,p99_ms,n\nnative_local,20,40,40,4\n',
    );
    assert.match(tables.get('meta/env_snapshot.txt')!, /^kernel: Linux 6\.1\.0$/m);
    assert.equal(tables.has('summary/throughput_summary.csv'), false);
  });

  it('have every trial that counts and the mean of a cell, with its resources', () => {
    const tables = gatewayTables([wrk(1000, 0), wrk(3000, 1), wrk(9000, 2, 'invalid')]);
    assert.equal(
      tables.get('aggregated/throughput.csv'),
      [
        'workload,variant,conns,block,rps,rss_kb,cpu_avg,cpu_per_1k_rps',
        // Half of a CPU: 50 % at 1000 requests a second.
        'hello,native_local,100,0,1000,1024,50,50',
        'hello,native_local,100,1,3000,1024,50,16.67',
        '',
      ].join('\n'),
    );
    assert.equal(
      tables.get('summary/throughput_summary.csv'),
      'workload,variant,conns,rps,rss_kb,cpu_avg,cpu_per_1k_rps,trials\nhello,native_local,100,2000,1024,50,33.33,2\n',
    );
  });

  it('are none where no gateway was measured', () => {
    assert.equal(gatewayTables([sample('idle-connections', {}, {})]).size, 0);
  });
});
