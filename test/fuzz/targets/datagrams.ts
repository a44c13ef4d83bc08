/** Replies to datagrams: a reading never leaves its bounds, only what was sent is intact, and the books stay whole. */
import assert from 'node:assert/strict';
import { crc32c, DatagramFormat, type Reading } from '../../../src/dgram-benchmark/js-format.js';
import { FlowLedger, noCounts } from '../../../src/dgram-benchmark/js-ledger.js';
import type { Target } from '../engine.js';

const nonce = 0x5eed;
const size = 64;
const body = Buffer.from('body');
const identities = ['full', 'compact', 'none'] as const;
const formats = identities.map((identity) => new DatagramFormat(identity, size, body, nonce, null));
const sent = 3;

function sample(at: number, sequence: number): Buffer {
  const datagram = formats[at]!.blank();
  formats[at]!.write(datagram, 1, sequence, 1000, 2000);
  return datagram;
}

/** With the checksum that a sender who knows the nonce would have given it: no mutation finds one by chance. */
function sealed(reply: Buffer, at: number): Buffer {
  const copy = Buffer.from(reply);
  if (identities[at] === 'full' && copy.length >= 40) copy.writeUInt32LE(crc32c(nonce, copy, 0, 36), 36);
  if (identities[at] === 'compact' && copy.length >= 16)
    copy.writeUInt32LE(crc32c(crc32c(nonce, copy, 0, 4), copy, 8), 4);
  return copy;
}

/** What counts as intact is what was written, but for the checksums, which a forger writes as well. */
function assertSent(format: DatagramFormat, reading: Reading, reply: Buffer): void {
  const { flow, sequence, intended, actual } = reading;
  if (Math.max(sequence, intended, actual) >= 2 ** 53) return; // not told apart in JavaScript
  const again = format.blank();
  format.write(again, flow, sequence, intended, actual);
  assert.deepEqual(reply.subarray(0, 32), again.subarray(0, 32));
  assert.deepEqual(reply.subarray(40), again.subarray(40));
}

export const target: Target = {
  seeds: [...identities.map((_, at) => sample(at, 1)), sample(0, 2 ** 40), Buffer.alloc(0), Buffer.alloc(8)],
  words: ['\u0000\u0000\u0000\u0000', 'body', 'GD'],
  longest: 200,
  // Marking a sequence number clears a window of 65 536 at most.
  stepsPerByte: 5000,
  judge(input) {
    for (const [at, format] of formats.entries()) {
      const ledger = new FlowLedger(identities[at]!, true);
      for (let sequence = 0; sequence < sent; sequence++) ledger.send(1000, 2000);
      const counts = noCounts();
      for (const reply of [input, sealed(input, at), sealed(input, at)]) {
        const reading = format.read(reply);
        assert.ok(
          reading.verdict === 'intact' || reading.verdict === 'truncated' || reading.verdict === 'corrupt',
        );
        if (reading.verdict === 'intact') assert.equal(reply.length, size);
        if (reading.verdict === 'intact' && identities[at] === 'full') assertSent(format, reading, reply);
        const { times } = ledger.receive(reading, 3000, 1e9, counts);
        if (times) assert.ok(Number.isFinite(times.intended) && Number.isFinite(times.actual));
      }
      assert.ok(ledger.received <= sent, `${ledger.received} received of ${sent} sent`);
      assert.ok(Object.values(counts).every((count) => count >= 0 && count <= 3));
    }
  },
};
