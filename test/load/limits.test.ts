/** Limits named before a connection is opened, and the reasons for which a client says it was the limit itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planHolders, requireDescriptors, sourceAddresses } from '../../src/load/limits.js';
import { saturationReasons } from '../../src/load/saturation.js';
import { acceptedConnections } from '../../src/load/server-count.js';

const limit = { soft: 20_000, hard: 20_000 };
const range = { first: 32_768, last: 60_999 };

test('descriptors: the sentence names limit, need and cure', () => {
  requireDescriptors(19_000, limit);
  assert.throws(
    () => requireDescriptors(50_000, limit),
    /50000 connections need 50064 descriptors.*may open 20000.*ulimit -Hn/,
  );
});

test('sources: none while one address suffices at ease, then spread, no port range left narrow', () => {
  assert.deepEqual(sourceAddresses('127.0.0.1', 12_000, -1, range), []);
  assert.deepEqual(sourceAddresses('127.0.0.1', 18_000, -1, range), ['127.0.0.2', '127.0.0.3']);
  assert.deepEqual(sourceAddresses('10.0.0.1', 18_000, -1, range), []);
  assert.throws(
    () => sourceAddresses('10.0.0.1', 28_000, -1, range),
    /28000 connections to 10.0.0.1 need more than the 28232 ports.*ip_local_port_range/,
  );
});

test('holders: as few processes as descriptors allow, no address shared, nothing lost', () => {
  assert.deepEqual(planHolders('127.0.0.1', 1000, limit, range), [{ connections: 1000, sources: [] }]);
  const shares = planHolders('127.0.0.1', 50_001, limit, range);
  assert.equal(shares.length, 3);
  assert.equal(
    shares.reduce((sum, { connections }) => sum + connections, 0),
    50_001,
  );
  const sources = shares.flatMap((share) => share.sources);
  assert.equal(new Set(sources).size, sources.length);
  assert.ok(shares.every((share) => share.connections <= 12_704 * share.sources.length));
});

test('sources: beyond loopback those that the host has are spread over, without any the ports of one are all', () => {
  const others = Array.from({ length: 9 }, (_, index) => `10.0.1.${index + 1}`);
  assert.deepEqual(sourceAddresses('10.0.0.1', 12_000, -1, range, others), []);
  assert.deepEqual(sourceAddresses('10.0.0.1', 18_000, -1, range, others), ['10.0.1.1', '10.0.1.2']);
  const shares = planHolders('10.0.0.1', 60_000, limit, range, others);
  assert.equal(shares.length, 4);
  const sources = shares.flatMap((share) => share.sources);
  assert.equal(new Set(sources).size, sources.length);
  assert.ok(shares.every((share) => share.connections <= 12_704 * share.sources.length));
  assert.throws(
    () => planHolders('10.0.0.1', 60_000, limit, range),
    /60000 connections to 10.0.0.1 need more/,
  );
  assert.throws(
    () => planHolders('10.0.0.1', 200_000, limit, range, others),
    /need more than the 28232 ports/,
  );
  assert.deepEqual(
    planHolders('10.0.0.1', 25_000, limit, range).map((share) => share.sources),
    [[], []],
    'one address is enough for two processes',
  );
});

test('server count: accepted, established, on this port, each once', () => {
  const row = (local: string, remote: string, state: string, inode: number) =>
    `   1: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000 0 0 ${inode} 1 0 20 4 30 10 -1`;
  const tables = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    row('0100007F:1F90', '00000000:0000', '0A', 7),
    row('0100007F:1F90', '0100007F:8001', '01', 8),
    row('0100007F:1F90', '0100007F:8001', '01', 8),
    row('0100007F:1F90', '0100007F:8002', '01', 0),
    row('0100007F:1F90', '0100007F:8003', '06', 0),
    row('0100007F:8001', '0100007F:1F90', '01', 9),
  ].join('\n');
  assert.equal(acceptedConnections(8080, tables), 1);
  assert.equal(acceptedConnections(8080, null), null);
});

const sound = {
  offeredRate: 1000,
  achievedRate: 1000,
  requests: 1000,
  backlogged: 0,
  busyShare: 0.3,
  meanLagFirstHalfNs: 1000,
  meanLagSecondHalfNs: 1000,
};

const saturations = [
  ['nothing speaks against it', {}, []],
  ['a busy thread', { busyShare: 0.9 }, [/busy 90 %/]],
  ['a busy thread in closed loop', { offeredRate: null, busyShare: 0.9 }, [/busy/]],
  ['too few replies with free connections', { achievedRate: 980 }, [/98 % of the offered rate/]],
  ['the last of six replies on its way when the window ends', { requests: 6, achievedRate: 833 }, []],
  ['four of twelve missing', { requests: 12, achievedRate: 660 }, [/66 % of the offered rate/]],
  ['too few replies because none was free: the server', { achievedRate: 500, backlogged: 600 }, []],
  ['a growing lag', { meanLagFirstHalfNs: 1e5, meanLagSecondHalfNs: 9e5 }, [/lag 100 us, then 900 us/]],
  [
    'a steady lag that is the client',
    { meanLagFirstHalfNs: 4e6, meanLagSecondHalfNs: 4e6 },
    [/sent 4000 us late on average although connections were free/],
  ],
  ['a lag that is small, if growing', { meanLagFirstHalfNs: 1e3, meanLagSecondHalfNs: 9e3 }, []],
] as const;

for (const [name, change, expected] of saturations) {
  test(`saturation: ${name}`, () => {
    const reasons = saturationReasons({ ...sound, ...change });
    assert.equal(reasons.length, expected.length, reasons.join('; '));
    expected.forEach((pattern, index) => {
      assert.match(reasons[index]!, pattern);
    });
  });
}
