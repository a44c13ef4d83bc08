/** MACs and digests of the addon against those of node:crypto, and what keys and tags it refuses. */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { addon } from '../../src/addon.js';
import {
  frameSeal,
  groupKeys,
  requestSeal,
  requestSealer,
  type SealingExports,
} from '../../src/sealing/seal.js';

const sealing = addon<SealingExports>();
const bytesOf = (length: number, first = 1) => Uint8Array.from({ length }, (_, i) => (first + 31 * i) & 255);

test('HMAC and SHA-256 are those of node:crypto, for keys and messages around the length of a block', () => {
  for (const keyLength of [0, 20, 32, 63, 64, 65, 131]) {
    const secret = bytesOf(keyLength);
    const key = sealing.macKey(secret);
    for (const length of [0, 1, 54, 55, 56, 63, 64, 65, 119, 120, 1000]) {
      const message = bytesOf(length, 7);
      const into = new Uint8Array(34);
      sealing.macWrite(key, message, into, 1);
      const expected = createHmac('sha256', secret).update(message).digest();
      assert.deepEqual(Buffer.from(into.subarray(1, 33)), expected);
      assert.deepEqual([into[0], into[33]], [0, 0]);
      assert.equal(sealing.macMatches(key, message, expected), true);
      assert.equal(sealing.sha256(message), createHash('sha256').update(message).digest('hex'));
    }
  }
});

test('another tag, another length and another key do not match', () => {
  const key = sealing.macKey(bytesOf(32));
  const message = bytesOf(10);
  const tag = new Uint8Array(32);
  sealing.macWrite(key, message, tag, 0);
  for (const at of [0, 31]) {
    const other = tag.slice();
    other[at]! ^= 1;
    assert.equal(sealing.macMatches(key, message, other), false);
  }
  for (const length of [0, 31])
    assert.equal(sealing.macMatches(key, message, tag.subarray(0, length)), false);
  assert.equal(sealing.macMatches(sealing.macKey(bytesOf(32, 2)), message, tag), false);
  assert.throws(() => sealing.macWrite(key, message, tag, 1), { code: 'ERR_OUT_OF_RANGE' });
  assert.throws(() => sealing.macWrite(key, message, new Uint8Array(31), 0), { code: 'ERR_OUT_OF_RANGE' });
  assert.throws(() => sealing.sha256('text' as never), { code: 'ERR_INVALID_ARG_TYPE' });
  sealing.macForget(key);
  assert.throws(() => sealing.macMatches(key, message, tag), { code: 'ERR_CLOSED_HANDLE' });
});

for (const name of ['hmac', 'ed25519'] as const)
  test(`${name}: a frame opens for whom it was sealed, a request for all, and neither when it was changed`, () => {
    const keys = groupKeys(name, 4);
    const [sender, receiver] = [frameSeal(name, keys.of(0)), frameSeal(name, keys.of(2))];
    const frame = Buffer.concat([bytesOf(50), new Uint8Array(sender.tagBytes)]);
    sender.seal(frame, 2);
    assert.equal(receiver.opens(frame, 0), true);
    assert.equal(receiver.opens(frame, 1), false);
    if (sender.each) assert.equal(frameSeal(name, keys.of(3)).opens(frame, 0), false);
    frame[3]! ^= 1;
    assert.equal(receiver.opens(frame, 0), false);

    const request = requestSealer(name, keys.clients, 7)(bytesOf(20));
    for (let id = 0; id < 4; id++) {
      const seal = requestSeal(name, keys.of(id), id, 4);
      assert.equal(seal.isAuthentic(request, 7), true);
      const changed = Uint8Array.from(request);
      changed[changed.length - 1]! ^= 1;
      assert.equal(seal.isAuthentic(changed, 7), false);
    }
  });
