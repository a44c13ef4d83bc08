import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { identityOf } from '../../src/dgram-benchmark/engine.js';
import { crc32c, DatagramFormat } from '../../src/dgram-benchmark/js-format.js';
import { FlowLedger, noCounts, ReceiveWindow } from '../../src/dgram-benchmark/js-ledger.js';
import { flowOrder } from '../../src/dgram-benchmark/js-order.js';

test('CRC-32C has its published check value, and can be continued', () => {
  const bytes = Buffer.from('123456789');
  assert.equal(crc32c(0, bytes), 0xe3069283);
  assert.equal(crc32c(crc32c(0, bytes, 0, 4), bytes, 4), 0xe3069283);
});

describe('format', () => {
  for (const size of [16, 39, 40, 64, 1000]) {
    test(`${size} bytes: what is written is read, and every flipped bit is seen`, () => {
      const identity = identityOf(size, true);
      const format = new DatagramFormat(identity, size, new Uint8Array(), 77, null);
      const datagram = format.blank();
      format.write(datagram, 5, 2 ** 40 + 3, 1e15, 1e15 + 1);
      const { verdict, flow, sequence, intended, actual } = format.read(datagram);
      assert.deepEqual({ verdict, flow, sequence }, { verdict: 'intact', flow: 5, sequence: 2 ** 40 + 3 });
      if (identity === 'full') assert.deepEqual([intended, actual], [1e15, 1e15 + 1]);
      for (let bit = 0; bit < size * 8; bit++) {
        const reply = Buffer.from(datagram);
        reply[bit >> 3]! ^= 1 << (bit & 7);
        assert.equal(format.read(reply).verdict, 'corrupt');
      }
      assert.equal(format.read(datagram.subarray(0, size - 1)).verdict, 'truncated');
      assert.equal(format.read(Buffer.concat([datagram, Buffer.alloc(1)])).verdict, 'corrupt');
      const other = new DatagramFormat(identity, size, new Uint8Array(), 78, null);
      assert.equal(other.read(datagram).verdict, 'corrupt', 'a datagram of another run');
    });
  }
});

describe('receive window', () => {
  const { span } = ReceiveWindow;
  const cases: { name: string; marks: [number, string][] }[] = [
    {
      name: 'in order and twice',
      marks: [
        [0, 'in-order'],
        [1, 'in-order'],
        [1, 'duplicate'],
        [0, 'duplicate'],
      ],
    },
    {
      name: 'a gap filled later',
      marks: [
        [5, 'in-order'],
        [2, 'reordered'],
        [2, 'duplicate'],
        [6, 'in-order'],
      ],
    },
    {
      name: 'the oldest it remembers',
      marks: [
        [span, 'in-order'],
        [1, 'reordered'],
        [0, 'beyond'],
        [1, 'duplicate'],
      ],
    },
    {
      name: 'older than that',
      marks: [
        [span + 1, 'in-order'],
        [1, 'beyond'],
        [2, 'reordered'],
      ],
    },
    {
      name: 'a jump forgets all before',
      marks: [
        [3, 'in-order'],
        [3 * span, 'in-order'],
        [2 * span + 3, 'reordered'],
      ],
    },
    {
      name: 'a wrapped slot is clean',
      marks: [
        [7, 'in-order'],
        [span + 6, 'in-order'],
        [span + 7, 'in-order'],
        [span + 7, 'duplicate'],
      ],
    },
    {
      name: 'a slot skipped while wrapping is clean',
      marks: [
        [7, 'in-order'],
        [span + 9, 'in-order'],
        [span + 7, 'reordered'],
      ],
    },
  ];
  for (const { name, marks } of cases) {
    test(name, () => {
      const window = new ReceiveWindow();
      for (const [sequence, expected] of marks) assert.equal(window.mark(sequence), expected, `${sequence}`);
    });
  }
});

test('a ledger without identity counts replies, oldest first', () => {
  const ledger = new FlowLedger('none', true);
  const counts = noCounts();
  const reading = {
    verdict: 'intact',
    identified: false,
    flow: 0,
    sequence: 0,
    intended: 0,
    actual: 0,
  } as const;
  ledger.send(0, 10);
  ledger.send(0, 20);
  assert.equal(ledger.receive(reading, 30, 100, counts).times?.actual, 10);
  assert.equal(ledger.expire(20), 1);
  const late = ledger.receive(reading, 500, 100, counts);
  assert.ok(late.answered && late.late && late.times === null);
  assert.equal(ledger.receive(reading, 501, 100, counts).answered, false);
  assert.deepEqual([counts.received, counts.late, counts.duplicates], [2, 1, 1]);
});

describe('port order', () => {
  const draw = (order: 'random' | 'round-robin' | 'zipf', seed: number) => {
    const next = flowOrder(order, 10, seed);
    const seen = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) seen[next()]!++;
    return seen;
  };
  test('round robin is even, random nearly, zipf falls as 1 / k', () => {
    assert.ok(draw('round-robin', 1).every((count) => count === 1000));
    assert.ok(draw('random', 1).every((count) => Math.abs(count - 1000) < 200));
    const zipf = draw('zipf', 1);
    assert.ok(zipf[0]! > 3000 && zipf[0]! / zipf[9]! > 7 && zipf[0]! / zipf[9]! < 14);
  });
  test('a seed is an order', () => {
    assert.deepEqual(draw('zipf', 4), draw('zipf', 4));
    assert.notDeepEqual(draw('random', 4), draw('random', 5));
  });
});
