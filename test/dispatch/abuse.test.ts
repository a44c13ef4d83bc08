/** Wrong calls into the addon: each is a typed JavaScript error and leaves the poller usable; none crashes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { BackendName } from '../../src/contract/common.js';
import { layout } from '../../src/dispatch/layout.js';
import { native } from '../../src/dispatch/native.js';
import { openPoller } from '../../src/dispatch/poller.js';
import { BackendUnavailableError } from '../../src/dispatch/registry.js';
import { Descriptors } from '../support/descriptors.js';

const EVENTS = 4;
const CHANGES = 2;
const BYTES = 4 * (layout.statusWords + EVENTS * layout.eventWords + CHANGES * layout.changeWords);
const open = (buffer: ArrayBuffer = new ArrayBuffer(BYTES)) =>
  native.pollerOpen('poll', buffer, EVENTS, CHANGES);

/** The addon without its types, as a careless caller sees it. */
const loose = native as unknown as Record<string, (...values: unknown[]) => unknown>;

const TYPE = 'ERR_INVALID_ARG_TYPE';
const RANGE = 'ERR_OUT_OF_RANGE';
const CLOSED = 'ERR_CLOSED_HANDLE';

/** 'H' stands for the handle of an open poller. */
const wrongCalls: [fn: string, values: unknown[], code: string][] = [
  ['pollerOpen', [], TYPE],
  ['pollerOpen', [1, new ArrayBuffer(BYTES), EVENTS, CHANGES], TYPE],
  ['pollerOpen', ['poll', undefined, EVENTS, CHANGES], TYPE],
  ['pollerOpen', ['poll', {}, EVENTS, CHANGES], TYPE],
  ['pollerOpen', ['poll', new Int32Array(BYTES), EVENTS, CHANGES], TYPE],
  ['pollerOpen', ['poll', new SharedArrayBuffer(BYTES), EVENTS, CHANGES], TYPE],
  ['pollerOpen', ['poll', new ArrayBuffer(BYTES - 1), EVENTS, CHANGES], RANGE],
  ['pollerOpen', ['poll', new ArrayBuffer(0), EVENTS, CHANGES], RANGE],
  ['pollerOpen', ['poll', new ArrayBuffer(BYTES), 0, CHANGES], RANGE],
  ['pollerOpen', ['poll', new ArrayBuffer(BYTES), -1, CHANGES], RANGE],
  ['pollerOpen', ['poll', new ArrayBuffer(BYTES), 2 ** 40, CHANGES], RANGE],
  ['pollerOpen', ['poll', new ArrayBuffer(BYTES), 1.5, CHANGES], RANGE],
  ['pollerOpen', ['poll', new ArrayBuffer(BYTES), Number.NaN, CHANGES], RANGE],
  ['pollerOpen', ['poll', new ArrayBuffer(BYTES), EVENTS, -1], RANGE],
  ['pollerOpen', ['poll', new ArrayBuffer(BYTES), EVENTS], TYPE],
  ['pollerOpen', ['', new ArrayBuffer(BYTES), EVENTS, CHANGES], 'ERR_UNKNOWN_BACKEND'],
  ['pollerOpen', ['EPOLL', new ArrayBuffer(BYTES), EVENTS, CHANGES], 'ERR_UNKNOWN_BACKEND'],
  ['pollerOpen', ['devpoll', new ArrayBuffer(BYTES), EVENTS, CHANGES], 'ERR_BACKEND_UNAVAILABLE'],
  ['pollerWaitAtLeast', ['H', '1'], TYPE],
  ['pollerWaitAtLeast', ['H', -1], RANGE],
  ['pollerWaitAtLeast', ['H', 1_000_001], RANGE],
  ['pollerTurn', [], TYPE],
  ['pollerTurn', ['H'], TYPE],
  ['pollerTurn', ['H', 0], TYPE],
  ['pollerTurn', ['H', '0', 0], TYPE],
  ['pollerTurn', ['H', 0, 0n], TYPE],
  ['pollerTurn', ['H', 0, {}], TYPE],
  ['pollerTurn', [null, 0, 0], TYPE],
  ['pollerTurn', ['H', -1, 0], RANGE],
  ['pollerTurn', ['H', CHANGES + 1, 0], RANGE],
  ['pollerTurn', ['H', 0.5, 0], RANGE],
  ['pollerTurn', ['H', Number.NaN, 0], RANGE],
  ['pollerTurn', ['H', 0, Number.NaN], RANGE],
  ['pollerTurn', [0, 0, 0], CLOSED],
  ['pollerTurn', [-1, 0, 0], CLOSED],
  ['pollerTurn', [0xffffffff, 0, 0], CLOSED],
  ['pollerTurn', [1e9, 0, 0], CLOSED],
  ['pollerAdd', [], TYPE],
  ['pollerAdd', ['H'], TYPE],
  ['pollerAdd', ['H', '0', 1], TYPE],
  ['pollerAdd', ['H', 0], TYPE],
  ['pollerAdd', ['H', 0, 4], RANGE],
  ['pollerAdd', ['H', 0, -1], RANGE],
  ['pollerAdd', ['H', 2 ** 31, 1], RANGE],
  ['pollerAdd', ['H', Number.POSITIVE_INFINITY, 1], RANGE],
  ['pollerAdd', ['H', -1, 1], 'EBADF'],
  ['pollerAdd', ['H', 2 ** 31 - 1, 1], 'EBADF'],
  ['pollerAdd', [1e9, 0, 1], CLOSED],
  ['pollerAdd', [-1, 0, 1], RANGE],
  ['pollerModify', ['H', -1, 1], 'ENOENT'],
  ['pollerModify', ['H', 2 ** 31 - 1, 1], 'ENOENT'],
  ['pollerRearm', ['H', -1], 'ENOENT'],
  ['pollerRearm', ['H', 2 ** 31 - 1], 'ENOENT'],
  ['pollerForget', ['H'], TYPE],
  ['pollerForget', ['H', -1], 'ENOENT'],
  ['pollerForget', ['H', 2 ** 31 - 1], 'ENOENT'],
  ['pollerCurrent', ['H', EVENTS], RANGE],
  ['pollerCurrent', ['H', -1], RANGE],
  ['pollerCounters', ['H'], TYPE],
  ['pollerCounters', ['H', new BigUint64Array(layout.counters.length - 1)], TYPE],
  ['pollerCounters', ['H', new Float64Array(layout.counters.length)], TYPE],
  ['pollerCounters', ['H', new ArrayBuffer(1000)], TYPE],
  ['pollerCapabilities', [1e9], CLOSED],
  ['pollerClose', ['x'], TYPE],
  ['pollerClose', [1e9], CLOSED],
];

for (const [name, values, code] of wrongCalls) {
  const shown = values.map((value) => (value instanceof Object ? value.constructor.name : String(value)));
  test(`${name}(${shown.join(', ')}) is ${code}`, () => {
    const handle = open();
    const call = loose[name];
    assert.ok(call);
    assert.throws(() => call(...values.map((value) => (value === 'H' ? handle : value))), { code });
    assert.equal(native.pollerTurn(handle, 0, 0), 0);
    native.pollerClose(handle);
  });
}

test('every function of a closed poller is ERR_CLOSED_HANDLE', () => {
  const handle = open();
  native.pollerClose(handle);
  const functions = Object.keys(native).filter((name) => name.startsWith('poller') && name !== 'pollerOpen');
  assert.ok(functions.length >= 9);
  for (const name of functions) {
    assert.throws(() => loose[name]?.(handle, 0, name === 'pollerCounters' ? new BigUint64Array(16) : 0), {
      code: CLOSED,
    });
  }
});

test('a handle is not used twice', () => {
  const first = open();
  native.pollerClose(first);
  const second = open();
  assert.notEqual(first, second);
  native.pollerClose(second);
});

test('a detached buffer is a typed error in every function, and the poller can still be closed', () => {
  const descriptors = new Descriptors();
  const [a] = descriptors.socketPair();
  const buffer = new ArrayBuffer(BYTES);
  const handle = open(buffer);
  native.pollerAdd(handle, a, 3);
  structuredClone(buffer, { transfer: [buffer] });
  for (const call of [
    () => native.pollerTurn(handle, 0, 0),
    () => native.pollerForget(handle, a),
    () => native.pollerCurrent(handle, 0),
  ]) {
    assert.throws(call, { code: 'ERR_DETACHED_BUFFER' });
  }
  native.pollerClose(handle);
  assert.throws(() => native.pollerTurn(handle, 0, 0), { code: CLOSED });
  descriptors.closeAll();
});

test('a buffer detached before it is handed over is refused', () => {
  const buffer = new ArrayBuffer(BYTES);
  structuredClone(buffer, { transfer: [buffer] });
  assert.throws(() => open(buffer), { code: RANGE });
});

test('a resizable buffer serves until it shrinks', () => {
  const Resizable = ArrayBuffer as unknown as new (
    bytes: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer & { resize(bytes: number): void };
  const buffer = new Resizable(BYTES, { maxByteLength: BYTES * 2 });
  const handle = open(buffer);
  buffer.resize(BYTES * 2);
  assert.equal(native.pollerTurn(handle, 0, 0), 0);
  buffer.resize(BYTES - 1);
  assert.throws(() => native.pollerTurn(handle, 0, 0), { code: 'ERR_DETACHED_BUFFER' });
  native.pollerClose(handle);
});

test('the buffer outlives its last reference in JavaScript', () => {
  const handle = open();
  for (let i = 0; i < 50; i++) new ArrayBuffer(1 << 20);
  assert.equal(native.pollerTurn(handle, 0, 0), 0);
  native.pollerClose(handle);
});

test('an unavailable backend throws with its probe; an unknown one says where the names are', () => {
  assert.throws(
    () => openPoller({ backend: 'evport' }),
    (error) =>
      error instanceof BackendUnavailableError &&
      error.probe.name === 'evport' &&
      error.probe.errno === 'ENOSYS' &&
      error.message.includes('illumos'),
  );
  assert.throws(() => openPoller({ backend: 'nonsense' as BackendName }), /dispatchbench probe/);
});

test('a poller of one environment is not reachable from another', async () => {
  const handles = Array.from({ length: 8 }, () => open());
  const worker = new Worker(new URL('./worker-child.js', import.meta.url), {
    workerData: { task: 'use-handle', handle: handles.at(-1) },
  });
  const [code] = await new Promise<string[]>((done, fail) =>
    worker.once('message', done).once('error', fail),
  );
  assert.equal(code, CLOSED);
  for (const handle of handles) native.pollerClose(handle);
});
