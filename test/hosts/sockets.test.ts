/** What ss(8) says of sockets, read from its text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { socketsIn } from '../../src/hosts/sockets.js';

const text = `0      2896   10.0.0.2:51000 10.0.0.1:4000
	 cubic wscale:7,7 rto:244 rtt:41.5/0.8 ato:40 mss:1448 cwnd:10 bytes_sent:9000 bytes_retrans:1448 bytes_acked:7001 rcv_rtt:99 send 4.0Mbps pacing_rate 4.8Mbps delivery_rate 2.5Mbps retrans:0/1 minrtt:40.25
0      0      10.0.0.2:51002 10.0.0.1:4000
	 cubic rto:240 rtt:60.5/1 bytes_acked:100 delivery_rate 512000bps minrtt:41
`;

test('sockets are added up, and round trips are those of sending', () => {
  assert.deepEqual(socketsIn(text, 12), {
    atMs: 12,
    sockets: 2,
    ackedBytes: 7101,
    deliveryRate: 3_012_000,
    roundTripMs: 51,
    leastRoundTripMs: 40.25,
  });
});

test('where there is none, nothing was acknowledged and no time is made up', () => {
  const { sockets, ackedBytes, roundTripMs, leastRoundTripMs } = socketsIn('', 0);
  assert.deepEqual([sockets, ackedBytes], [0, 0]);
  assert.ok(Number.isNaN(roundTripMs) && Number.isNaN(leastRoundTripMs));
});
