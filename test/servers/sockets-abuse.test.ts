/** Wrong calls into the socket, server and process areas of the addon: typed errors or a negative errno, never a crash. */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { IoDesk, RECEIVE_WINDOW, sockets } from '../../servers/io-desk.js';
import { addon } from '../../src/addon.js';

/** The addon without its types, as a careless caller sees it. */
const loose = addon<Record<string, (...values: unknown[]) => unknown>>();

const TYPE = 'ERR_INVALID_ARG_TYPE';
const RANGE = 'ERR_OUT_OF_RANGE';
const CLOSED = 'ERR_CLOSED_HANDLE';
const slab = () => new ArrayBuffer(RECEIVE_WINDOW * 2);
const ring = () => new ArrayBuffer(5 * 4 * 2);

type WrongCall = [fn: string, values: unknown[], code: string];
const engine = ['--protocol', 'http', '--engine', 'uring', '--engine-options', 'bytes=64,buffers=2'];
const rows = (count: number) => new ArrayBuffer(count * 32);
/** An engine is there on Linux alone. */
const engineCalls: readonly WrongCall[] =
  process.platform !== 'linux'
    ? []
    : [
        ['completionRoom', [], TYPE],
        ['completionRoom', [[1]], TYPE],
        ['completionRoom', [[...engine, '--engine-options', 'buffers=3']], 'ERR_SERVER'],
        ['completionOpen', [], TYPE],
        ['completionOpen', [engine, '4', rows(4), slab(), 0], TYPE],
        ['completionOpen', [engine, 1, rows(4), slab(), 0], RANGE],
        ['completionOpen', [engine, 4, rows(3), slab(), 0], RANGE],
        ['completionOpen', [engine, 4, rows(4), new ArrayBuffer(127), 0], RANGE],
        ['completionOpen', [engine, 4, rows(4), slab(), -1], RANGE],
        ['completionOpen', [engine, 4, rows(4), new SharedArrayBuffer(4096), 0], TYPE],
        [
          'completionOpen',
          [[...engine, '--address', '192.0.2.1', '--expose'], 4, rows(4), slab(), 0],
          'ERR_SERVER',
        ],
        ['completionTurn', [], TYPE],
        ['completionTurn', [1e6, 0, 0], CLOSED],
        ['completionKeep', [1e6, 0], CLOSED],
        ['completionWatch', ['1', 0], TYPE],
        ['completionFacts', [0], CLOSED],
        ['completionCounters', [0], CLOSED],
      ];

/** 'D' stands for the handle of an open desk with two rows. */
const wrongCalls: WrongCall[] = [
  ['ioOpen', [], TYPE],
  ['ioOpen', [slab(), {}, 0], TYPE],
  ['ioOpen', [new Uint8Array(RECEIVE_WINDOW), ring(), 0], TYPE],
  ['ioOpen', [new SharedArrayBuffer(RECEIVE_WINDOW), ring(), 0], TYPE],
  ['ioOpen', [new ArrayBuffer(RECEIVE_WINDOW - 1), ring(), 0], RANGE],
  ['ioOpen', [slab(), new ArrayBuffer(3), 0], RANGE],
  ['ioOpen', [slab(), ring(), -1], RANGE],
  ['ioOpen', [slab(), ring(), RECEIVE_WINDOW + 1], RANGE],
  ['ioOpen', [slab(), ring()], TYPE],
  ['ioReceive', [], TYPE],
  ['ioReceive', ['D', 0, 0], TYPE],
  ['ioReceive', ['D', '0', 0, 1], TYPE],
  ['ioReceive', ['D', 0.5, 0, 1], TYPE],
  ['ioReceive', ['D', Number.NaN, 0, 1], TYPE],
  ['ioReceive', ['D', 0, 2 ** 40, 1], TYPE],
  ['ioReceive', [0, 0, 0, 1], CLOSED],
  ['ioReceive', [-1, 0, 0, 1], CLOSED],
  ['ioReceive', [1e6, 0, 0, 1], CLOSED],
  ['ioSend', ['D', 0, 0, {}], TYPE],
  ['ioSend', ['D', null, 0, 1], TYPE],
  ['ioSend', [1e6, 0, 0, 1], CLOSED],
  ['ioRun', ['D'], TYPE],
  ['ioRun', ['D', -1, 1], RANGE],
  ['ioRun', ['D', 1, 0], RANGE],
  ['ioRun', ['D', 0, 3], RANGE],
  ['ioRun', [1e6, 0, 1], CLOSED],
  ['ioTurnAway', ['D'], TYPE],
  ['ioTurnAway', [1e6, 0], CLOSED],
  ['tcpListen', [], TYPE],
  ['tcpListen', ['127.0.0.1', '80', 1], TYPE],
  ['tcpListen', ['127.0.0.1', 65536, 1], RANGE],
  ['tcpListen', ['localhost', 0, 1], 'ERR_INVALID_ADDRESS'],
  ['tcpListen', ['192.0.2.1', 0, 1], 'EADDRNOTAVAIL'],
  ['tcpConnect', ['127.0.0.1', -1], RANGE],
  ['tcpConnect', [7, 1], TYPE],
  ['socketAccept', [-1], RANGE],
  ['socketAccept', ['1'], TYPE],
  ['socketClose', [2 ** 32], RANGE],
  ['socketAddress', [19_999], 'ENOTSOCK'],
  ...engineCalls,
  ['serverRun', [], TYPE],
  ['serverRun', [['--backend', 'nonsense'], '{}', ''], 'ERR_SERVER'],
  ['serverRun', [['--port'], '{}', ''], 'ERR_SERVER'],
  ['httpParse', ['GET', []], TYPE],
  ['httpParse', [new Uint8Array(4), [5]], RANGE],
  ['httpParse', [Buffer.from('GET '), [3, 2]], RANGE],
  ['httpParse', [Buffer.from('GET '), ['1']], RANGE],
  ['processSetAffinity', [[]], TYPE],
  ['processSetAffinity', [['0']], RANGE],
  ['processSetAffinity', [[1e9]], RANGE],
  ['processClockStepNs', [0], RANGE],
  ['processCalibrationSpinNs', [-1], RANGE],
];

test('wrong calls are typed errors', () => {
  const desk = sockets.ioOpen(slab(), ring(), 0);
  for (const [name, values, code] of wrongCalls) {
    const args = values.map((value) => (value === 'D' ? desk : value));
    assert.throws(() => loose[name]!(...args), { code }, `${name}(${args.map(String)})`);
  }
  sockets.ioClose(desk);
  assert.throws(() => sockets.ioReceive(desk, 0, 0, 1), { code: CLOSED });
});

test('what a socket does wrong is a negative errno', () => {
  const { EBADF, EINVAL, EAGAIN } = constants.errno;
  const desk = new IoDesk();
  const listener = sockets.tcpListen('127.0.0.1', 0, 16);
  const { port } = sockets.socketAddress(listener);
  assert.equal(sockets.socketAccept(listener), -EAGAIN);
  const size = desk.slab.length;
  const cases: [what: string, result: number, errno: number][] = [
    ['a descriptor that is not open', desk.receive(19_999, 0, 1), EBADF],
    ['a negative descriptor', desk.send(-1, 0, 1), EBADF],
    ['an offset before the slab', desk.receive(listener, -1, 1), EINVAL],
    ['an offset behind the slab', desk.send(listener, size, 1), EINVAL],
    ['a length beyond the slab', desk.receive(listener, size - 1, 2), EINVAL],
    ['a negative length', desk.send(listener, 0, -1), EINVAL],
    ['both at their largest', desk.send(listener, 2 ** 31 - 1, 2 ** 31 - 1), EINVAL],
    ['closing what is not open', sockets.socketClose(19_999), EBADF],
  ];
  for (const [what, result, errno] of cases) assert.equal(result, -errno, what);

  const client = sockets.tcpConnect('127.0.0.1', port);
  const server = sockets.socketAccept(listener);
  assert.ok(server > 0);
  assert.equal(desk.receive(server, 0, 1), -EAGAIN);
  assert.equal(sockets.socketShutdown(client), 0);
  assert.equal(desk.receive(server, 0, 1), 0);
  for (const fd of [client, server, listener]) assert.equal(sockets.socketClose(fd), 0);
});

test('ring rows with nonsense in them give errnos, and the ring goes on', () => {
  const { EBADF, EINVAL } = constants.errno;
  const desk = new IoDesk({ rows: 4 });
  desk.ring.set([99, 0, 0, 0, 7, 2, -5, 0, 1, 7, 2, 0, -1, 1, 7, 1, 19_999, 0, 0, 7]);
  assert.equal(desk.run(0, 4), 4);
  assert.deepEqual(
    [4, 9, 14, 19].map((word) => desk.ring[word]),
    [-EINVAL, -EBADF, -EINVAL, -EBADF],
  );
});

test('a detached buffer is an error', () => {
  const bytes = slab();
  const desk = sockets.ioOpen(bytes, ring(), 0);
  structuredClone(bytes, { transfer: [bytes] });
  for (const call of [
    () => sockets.ioReceive(desk, 0, 0, 1),
    () => sockets.ioSend(desk, 0, 0, 1),
    () => sockets.ioRun(desk, 0, 1),
  ]) {
    assert.throws(call, { code: 'ERR_DETACHED_BUFFER' });
  }
});
