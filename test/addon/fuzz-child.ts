/**
 * Calls every function of the addon with hostile values: throwing getters, proxies, symbols, detached, resizable and shared
 * buffers, prototypes with setters, and getters that call the addon again, take a buffer away or collect garbage.
 * Arguments are mostly right, so that calls get past their first check. The same seed makes the same calls.
 *   node --expose-gc fuzz-child.js SEED CALLS
 * Prints how many calls there were; ends with 1 on an error that tells its reader nothing, by a signal on a crash.
 * Not a test itself.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addon } from '../../src/addon.js';
import { layout } from '../../src/dispatch/layout.js';
import { randomFrom } from '../../src/statistics/random.js';

const [seed = 1, calls = 1000] = process.argv.slice(2).map(Number);
const native = addon<Record<string, (...values: unknown[]) => unknown>>();
const random = randomFrom(seed);
const upTo = (most: number): number => Math.floor(random() * (most + 1));
const pick = <T>(from: readonly T[]): T => from[upTo(from.length - 1)]!;
const chance = (share: number): boolean => random() < share;
const collect = (globalThis as { gc?: () => void }).gc ?? (() => {});
const names = Object.keys(native);

interface Resizable extends ArrayBuffer {
  resize(bytes: number): void;
}
const ResizableBuffer = ArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => Resizable;

/** Buffers that calls may hold, for getters to take away. */
const buffers: ArrayBuffer[] = [];
/** What opens and closes each kind of handle, and those that are open. */
const kinds = {
  poller: { opens: 'pollerOpen', closes: 'pollerClose', open: [] as number[] },
  desk: { opens: 'ioOpen', closes: 'ioClose', open: [] as number[] },
  udp: { opens: 'udpOpen', closes: 'udpClose', open: [] as number[] },
  engine: { opens: 'completionOpen', closes: 'completionClose', open: [] as number[] },
  load: { opens: 'loadStart', closes: 'loadStop', open: [] as number[] },
  idle: { opens: 'idleStart', closes: 'idleStop', open: [] as number[] },
  session: { opens: 'sessionStart', closes: 'sessionStop', open: [] as number[] },
  datagram: { opens: 'datagramStart', closes: 'datagramFree', open: [] as number[] },
  log: { opens: 'logOpen', closes: 'logClose', open: [] as number[] },
  mac: { opens: 'macKey', closes: 'macForget', open: [] as number[] },
};
type Kind = keyof typeof kinds;
const descriptors: number[] = [];
/** Where logs are: of this process, which is gone with it. */
const logs = mkdtempSync(join(tmpdir(), 'dispatchbench-fuzz-'));
process.on('exit', () => rmSync(logs, { recursive: true, force: true }));
const most = 6;

class Thrown extends Error {}
let depth = 0;

/** What a getter, a trap or a toString does before it answers. */
function misbehave(): void {
  const act = upTo(5);
  if (act === 0) throw new Thrown('on purpose');
  if (act === 1) takeAway();
  if (act === 2) collect();
  if (act === 3 && depth < 3) attempt(pick(names));
  if (act === 4) {
    closeOldest(pick(Object.values(kinds)));
  }
}

function closeOldest({ closes, open }: (typeof kinds)[Kind]): void {
  const handle = open.shift();
  try {
    if (handle !== undefined) native[closes]!(handle);
  } catch {} // closed by a call of its own
}

function takeAway(): void {
  const buffer = buffers.splice(upTo(buffers.length - 1), 1)[0];
  if (buffer === undefined) return;
  if ('resize' in buffer && chance(0.5)) {
    try {
      (buffer as Resizable).resize(upTo(64));
    } catch {} // of a fixed length
  } else if (buffer.byteLength > 0) {
    structuredClone(buffer, { transfer: [buffer] });
  }
}

const numbers = [
  0,
  1,
  2,
  4,
  -1,
  -0,
  0.5,
  255,
  65_536,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 31),
  Number.NaN,
  Number.POSITIVE_INFINITY,
];
const texts = ['', 'poll', 'epoll', '127.0.0.1', '::1', '\0', 'x'.repeat(5000), '\ud800', '--ports', 'Linux'];

function buffer(): ArrayBuffer {
  const bytes = pick([0, 64, 4096, 1 << 17]);
  const made = chance(0.3)
    ? new ResizableBuffer(bytes, { maxByteLength: bytes * 2 })
    : new ArrayBuffer(bytes);
  if (chance(0.2)) Object.defineProperty(made, 'resizable', { get: misbehave });
  buffers.push(made);
  if (buffers.length > 64) buffers.shift();
  if (chance(0.1) && bytes > 0) structuredClone(made, { transfer: [made] });
  return made;
}

function view(): unknown {
  const type = pick<new (of: ArrayBufferLike, from: number) => unknown>([
    Uint8Array,
    Int32Array,
    Float64Array,
    BigUint64Array,
    DataView,
  ]);
  return new type(chance(0.1) ? new SharedArrayBuffer(256) : buffer(), 0);
}

function array(element: () => unknown = hostile): unknown[] {
  const made: unknown[] = Array.from({ length: upTo(4) }, element);
  if (chance(0.4)) {
    Object.defineProperty(made, upTo(made.length), {
      get: () => {
        misbehave();
        return chance(0.5) ? element() : hostile();
      },
      enumerable: true,
    });
  }
  if (chance(0.1)) made.length += 1000;
  return chance(0.1) ? (proxy(made) as unknown[]) : made;
}

const proxy = (target: object): object => {
  if (chance(0.2)) {
    const { proxy: made, revoke } = Proxy.revocable(target, {});
    revoke();
    return made;
  }
  return new Proxy(target, {
    get: (of, name) => {
      misbehave();
      return Reflect.get(of, name);
    },
    getPrototypeOf: () => {
      misbehave();
      return null;
    },
  });
};

let nesting = 0;
function hostile(): unknown {
  if (nesting > 3) return pick(numbers);
  nesting++;
  try {
    return pick<() => unknown>([
      () => pick(numbers),
      () => pick(numbers),
      () => pick(texts),
      () => pick([undefined, null, true, false, 10n, Symbol('s'), Symbol.iterator, misbehave]),
      () => Object.create(null),
      () => ({ toString: misbehave, valueOf: misbehave, [Symbol.toPrimitive]: misbehave }),
      () => proxy({}),
      () => array(),
      buffer,
      view,
      () => new SharedArrayBuffer(pick([0, 256])),
    ])();
  } finally {
    nesting--;
  }
}

/** Mostly `right`. */
const mostly = (right: unknown): unknown => (chance(0.8) ? right : hostile());
const handle = (kind: Kind): unknown => mostly(pick([...kinds[kind].open, 0, 1]));
const descriptor = (): unknown => pick([...descriptors, 19_999, -1, 0.5, Symbol('fd'), null]);
const address = (): unknown[] => [mostly('127.0.0.1'), mostly(pick([0, 9]))];
const bad = (): unknown[] => ['no such thing', ...array()];

/** A configuration whose fields are mostly right; some throw, misbehave, are missing, or come from a proxy. */
function configuration(fields: Record<string, unknown>): unknown {
  const made: Record<string, unknown> = chance(0.2) ? Object.create(null) : {};
  const wrong = chance(0.3) ? '' : pick(Object.keys(fields));
  for (const [name, value] of Object.entries(fields)) {
    if (name !== wrong) made[name] = value;
    else if (chance(0.5)) made[name] = hostile();
    else {
      Object.defineProperty(made, name, {
        get: () => {
          misbehave();
          return value;
        },
      });
    }
  }
  return chance(0.15) ? proxy(made) : made;
}

const target = { backend: 'poll', host: '127.0.0.1', port: 9, seed: 1, exponential: false };
const dial = () => ({
  ...target,
  sources: chance(0.5) ? [] : array(() => '127.0.0.1'),
  connections: 2,
  connectTimeoutNs: 1e6,
});
const request = { hostHeader: 'x', path: '/' };
const load = () => ({
  ...dial(),
  ...request,
  http: true,
  size: 8,
  anyBody: false,
  rate: 100,
  pipelining: 1,
  warmupNs: 0,
  windowNs: 1e6,
  timeoutNs: 1e6,
});
const session = () => ({
  ...target,
  ...request,
  rate: 100,
  offsetNs: 0,
  connections: 2,
  calls: 1,
  timeoutNs: 1e6,
  sampleNs: 1e6,
  concurrent: 2,
});
const datagram = () => ({
  ...target,
  ports: 2,
  connections: 2,
  workers: 1,
  pipelining: 1,
  rate: 100,
  portOrder: pick(['random', 'zipf', 'round-robin']),
  amount: 1,
  durationNs: 1e6,
  timeoutNs: 1e6,
  intervalNs: 1e6,
  size: 64,
  body: new Uint8Array(24),
  echo: true,
  expected: new Uint8Array(0),
  receiveBuffer: 0,
  sendBuffer: 0,
  excludeLate: false,
  bailout: 1,
  logReplies: true,
});
const udp = ['--protocol', 'udp-echo', '--backend', 'poll', '--ports', '2'];
const engine = () => [
  ...['--protocol', pick(['http', 'tcp-echo', 'udp-echo']), '--engine', 'uring'],
  ...['--engine-options', 'buffers=2,bytes=64'],
];
const slot = () => mostly(upTo(4));

/**
 * Arguments of each function. What would block, stay for good or reach descriptors of Node itself is left out here: a
 * server that runs, a wait without end, CPUs kept awake, a million connections.
 */
const bytes = () => (chance(0.5) ? new Uint8Array(upTo(99)) : view());

const shapes: Record<string, () => unknown[]> = {
  processSetAffinity: () => [chance(0.5) ? [0] : hostile()],
  processKeepAwake: () => [chance(0.7) ? bad() : Symbol('cpus')],
  processClockStepNs: () => [chance(0.5) ? 10 : pick([-1, 0.5, Number.NaN, 'x', null])],
  processCalibrationSpinNs: () => [chance(0.5) ? 10 : pick([-1, 0.5, Number.NaN, 'x', null])],
  processMemoryWalkNs: () => [pick([128, 4096, 127, -1, null, '8']), pick([1, 10, 0, 0.5, hostile()])],
  processPairedSpinNs: () => [
    pick([1, 10, 0, hostile()]),
    pick([0, 1023, -1, 'x']),
    pick([-1, 0, 1023, hostile()]),
  ],
  netPingPong: () => [pick([1, 5, 0, hostile()]), pick([0, -1, 'x', 1.5]), pick([0, -1, hostile()])],
  processSignalPipe: () => [],
  processAffinity: () => [hostile()],
  processMonotonicNs: () => [hostile()],
  processUsage: () => [hostile()],
  processDescriptorLimit: () => [hostile()],
  processBuild: () => [hostile()],
  serverRun: () => [mostly(bad()), mostly('{}'), mostly('')],
  httpParse: () => [
    chance(0.7) ? new Uint8Array(buffer()) : hostile(),
    chance(0.7) ? array(() => upTo(64)) : hostile(),
  ],
  backends: () => [hostile()],
  ownBackend: () => [mostly('Linux')],
  clientBackend: () => [hostile()],
  layout: () => [hostile()],
  pollerOpen: () => [mostly('poll'), chance(0.8) ? buffer() : hostile(), mostly(4), mostly(2)],
  pollerWaitAtLeast: () => [handle('poller'), mostly(1)],
  pollerTurn: () => [handle('poller'), mostly(upTo(2)), pick([0, 1, 100, Number.NaN, 'x', null])],
  pollerAdd: () => [handle('poller'), descriptor(), mostly(1)],
  pollerModify: () => [handle('poller'), slot(), mostly(3)],
  pollerRearm: () => [handle('poller'), slot()],
  pollerForget: () => [handle('poller'), slot()],
  pollerCurrent: () => [handle('poller'), mostly(0)],
  pollerCounters: () => [handle('poller'), chance(0.5) ? new BigUint64Array(layout.counters.length) : view()],
  pollerCapabilities: () => [handle('poller')],
  ioOpen: () => [chance(0.8) ? buffer() : hostile(), chance(0.8) ? buffer() : hostile(), mostly(0)],
  ioReceive: () => [handle('desk'), descriptor(), mostly(upTo(70_000)), mostly(upTo(70_000))],
  ioSend: () => [handle('desk'), descriptor(), mostly(upTo(70_000)), mostly(upTo(70_000))],
  ioRun: () => [handle('desk'), mostly(0), mostly(upTo(4))],
  ioTurnAway: () => [handle('desk'), descriptor()],
  tcpListen: () => [...address(), mostly(4)],
  tcpBacklog: () => [descriptor(), mostly(4)],
  tcpWithoutPacing: () => [descriptor()],
  tcpConnect: address,
  socketAccept: () => [descriptor()],
  socketShutdown: () => [descriptor()],
  socketError: () => [descriptor()],
  socketAddress: () => [descriptor()],
  socketClose: () => [descriptors.length > most ? descriptors.shift() : pick([19_999, -1, Symbol('fd')])],
  udpOpen: () => [chance(0.5) ? [...udp] : [...udp, ...array()], mostly(false)],
  udpSockets: () => [handle('udp')],
  udpName: () => [handle('udp'), descriptor(), slot()],
  udpTake: () => [handle('udp'), slot(), mostly(1)],
  udpAnswer: () => [handle('udp')],
  udpStatistics: () => [handle('udp')],
  engines: () => [hostile()],
  completionRoom: () => [chance(0.5) ? engine() : hostile()],
  completionOpen: () => [
    chance(0.7) ? engine() : [...engine(), ...array()],
    mostly(4),
    chance(0.8) ? buffer() : hostile(),
    chance(0.8) ? buffer() : hostile(),
    mostly(0),
  ],
  completionTurn: () => [handle('engine'), mostly(upTo(4)), pick([0, 1, 100, Number.NaN, 'x', null])],
  completionKeep: () => [handle('engine'), mostly(upTo(4))],
  completionWatch: () => [handle('engine'), descriptor()],
  completionFacts: () => [handle('engine')],
  completionCounters: () => [
    handle('engine'),
    chance(0.5) ? new BigUint64Array(layout.counters.length) : view(),
  ],
  loadStart: () => [configuration(load())],
  loadBegin: () => [handle('load')],
  loadEnd: () => [handle('load')],
  loadState: () => [handle('load')],
  loadResult: () => [handle('load')],
  idleStart: () => [configuration(dial())],
  idleState: () => [handle('idle')],
  sessionStart: () => [configuration(session())],
  sessionBegin: () => [handle('session'), mostly(1)],
  sessionState: () => [handle('session')],
  sessionResult: () => [handle('session')],
  datagramStart: () => [configuration(datagram())],
  datagramState: () => [handle('datagram')],
  datagramIntervals: () => [handle('datagram'), mostly(0)],
  datagramReplies: () => [handle('datagram')],
  datagramStop: () => [handle('datagram')],
  datagramOutcome: () => [handle('datagram')],
  costOpen: () => [chance(0.5) ? array(() => mostly('--pairs')) : hostile()],
  costMeasure: () => [
    handle('poller'),
    chance(0.7) ? () => pick([1, hostile()]) : hostile(),
    mostly('x'),
    mostly('x'),
  ],
  logOpen: () => [pick([logs, logs, `${logs}/none`, hostile()]), chance(0.1) ? hostile() : chance(0.1)],
  logRecovered: () => [handle('log')],
  logTorn: () => [handle('log')],
  logAppend: () => [handle('log'), bytes(), mostly(chance(0.1))],
  logDescriptor: () => [handle('log')],
  macKey: () => [bytes()],
  macWrite: () => [handle('mac'), bytes(), bytes(), upTo(99)],
  macMatches: () => [handle('mac'), bytes(), chance(0.5) ? new Uint8Array(32) : bytes()],
  sha256: () => [bytes()],
  logProgress: () => [handle('log'), chance(0.5) ? new Float64Array(7) : view()],
};
for (const [kind, { closes }] of Object.entries(kinds)) shapes[closes] = () => [handle(kind as Kind)];

/** Texts of Node-API for a mistake of the addon's own, which nobody can act on. */
const telling = /^(Invalid argument|Unknown failure|An? \S+ was expected|Invalid handle scope)/;
const opensDescriptor = ['tcpListen', 'tcpConnect', 'socketAccept'];

/** One call; anything it throws is well unless it tells nothing. */
function attempt(name: string): void {
  depth++;
  try {
    const result = native[name]!(...shapes[name]!());
    if (typeof result !== 'number') return;
    if (opensDescriptor.includes(name) && result > 2) descriptors.push(result);
    const kind = Object.values(kinds).find(({ opens }) => opens === name);
    if (kind === undefined) return;
    kind.open.push(result);
    if (kind.open.length > most) closeOldest(kind);
  } catch (error) {
    if (error instanceof Error && !('code' in error) && telling.test(error.message)) {
      console.error(`${name}: ${error.message}`);
      process.exit(1);
    }
  } finally {
    depth--;
  }
}

/** Calls with something on the prototypes that results and errors would run into. */
function withSetters(call: () => void): void {
  const properties = ['code', 'errno', 'phase', 'port', 'values', 'counts', 'soft', 'name', 'sources'];
  const traps: [object, string][] = [
    [Object.prototype, pick(properties)],
    [Array.prototype, `${upTo(3) + 4}`],
    [Error.prototype, pick(['code', 'errno'])],
  ];
  const [prototype, name] = pick(traps);
  Object.defineProperty(prototype, name, { set: misbehave, get: misbehave, configurable: true });
  try {
    call();
  } finally {
    Reflect.deleteProperty(prototype, name);
  }
}

// An engine is there on Linux alone.
for (const name of Object.keys(shapes))
  if (name.startsWith('completion') && !names.includes(name)) delete shapes[name];
const missing = names.filter((name) => shapes[name] === undefined);
if (missing.length > 0) throw new Error(`say in shapes how these are called: ${missing.join(', ')}`);
// Every call opens a signal pipe for the rest of the process, so it is not among the many.
attempt('processSignalPipe');
names.splice(names.indexOf('processSignalPipe'), 1);

const log = process.env.DISPATCHBENCH_FUZZ_LOG !== undefined;
for (let i = 0; i < calls; i++) {
  const name = pick(names);
  if (log) console.error(`${i} ${name}`);
  if (chance(0.1)) withSetters(() => attempt(name));
  else attempt(name);
  if (i % 64 === 0) collect();
}
for (const kind of Object.values(kinds)) while (kind.open.length > 0) closeOldest(kind);
console.log(calls);
