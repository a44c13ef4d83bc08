/** One hostile call into the addon, named by the argument; prints the code or text of what it throws. Not a test itself. */
import { addon } from '../../src/addon.js';
import { layout } from '../../src/dispatch/layout.js';

const native = addon<Record<string, (...values: unknown[]) => unknown>>();
const collect = (globalThis as { gc?: () => void }).gc ?? (() => {});

const throwing = (name: string, rest: object = {}) =>
  Object.defineProperty({ ...rest }, name, {
    get: () => {
      throw new Error(`getter of ${name}`);
    },
  });
/** An array with one element that is a getter. */
const elementOf = (get: () => unknown) => Object.defineProperty([], '0', { get, enumerable: true });
const elementThrows = () =>
  elementOf(() => {
    throw new Error('getter of an element');
  });
const transfer = (buffer: ArrayBuffer) => {
  structuredClone(buffer, { transfer: [buffer] });
  collect();
};
interface Resizable extends ArrayBuffer {
  resize(bytes: number): void;
}
const resizable = (bytes: number): Resizable =>
  new (ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => Resizable)(
    bytes,
    {
      maxByteLength: bytes,
    },
  );

const events = 1 << 16;
const pollerBytes = 4 * (layout.statusWords + events * layout.eventWords);
const dial = { backend: 'poll', host: '127.0.0.1', port: 9 };
const noPrototype = Object.create(null);
const textThrows = {
  toString: () => {
    throw new Error('toString');
  },
};

/** Something a script put on a prototype, under a property that the addon gives its results. */
const prototypeThrows = (prototype: object, name: string) =>
  Object.defineProperty(prototype, name, {
    set: () => {
      throw new Error('setter of a prototype');
    },
    configurable: true,
  });

const cases: Record<string, () => unknown> = {
  'udpOpen: a symbol': () => native.udpOpen!([Symbol('x')], false),
  'udpOpen: toString throws': () => native.udpOpen!([textThrows], false),
  'udpOpen: no prototype': () => native.udpOpen!([noPrototype], false),
  'udpOpen: an element throws': () => native.udpOpen!(elementThrows(), false),
  'serverRun: a symbol': () => native.serverRun!([Symbol('x')], '{}', ''),
  'serverRun: no prototype': () => native.serverRun!([noPrototype], '{}', ''),
  'serverRun: an element throws': () => native.serverRun!(elementThrows(), '{}', ''),
  'httpParse: an element throws': () => native.httpParse!(Buffer.from('GET / HTTP/1.1'), elementThrows()),
  'httpParse: an element transfers the bytes': () => {
    const bytes = new Uint8Array(1 << 20).fill(65);
    return native.httpParse!(
      bytes,
      elementOf(() => {
        transfer(bytes.buffer);
        return 1;
      }),
    );
  },
  'httpParse: a setter of Array.prototype transfers the bytes': () => {
    const bytes = new Uint8Array(1 << 20).fill(65);
    Object.defineProperty(Array.prototype, '5', { set: () => transfer(bytes.buffer), configurable: true });
    native.httpParse!(bytes, [1, 2, 3]);
    throw new Error('parsed');
  },
  'loadStart: a field throws': () => native.loadStart!(throwing('host', dial)),
  'loadStart: an element of sources throws': () => native.loadStart!({ ...dial, sources: elementThrows() }),
  'loadStart: a proxy throws': () =>
    native.loadStart!(
      new Proxy(dial, {
        get: () => {
          throw new Error('trap');
        },
      }),
    ),
  'idleStart: an element of sources throws': () => native.idleStart!({ ...dial, sources: elementThrows() }),
  'sessionStart: a field throws': () => native.sessionStart!(throwing('port', dial)),
  'datagramStart: a field throws': () => native.datagramStart!(throwing('ports', dial)),
  'processSetAffinity: an element throws': () => native.processSetAffinity!(elementThrows()),
  'a thrown value that is no object': () =>
    native.processSetAffinity!(
      elementOf(() => {
        throw Symbol('no object');
      }),
    ),
  'pollerOpen: a resizable buffer says it is none, and shrinks': () => {
    const buffer = Object.defineProperty(resizable(pollerBytes), 'resizable', { value: false }) as Resizable;
    const poller = native.pollerOpen!('poll', buffer, events, 0);
    buffer.resize(0);
    collect();
    native.pollerTurn!(poller, 0, 0);
  },
  'ioOpen: a resizable slab says it is none, and shrinks': () => {
    const slab = Object.defineProperty(resizable(1 << 20), 'resizable', { value: false }) as Resizable;
    const desk = native.ioOpen!(slab, new ArrayBuffer(4096), 1 << 19);
    slab.resize(0);
    collect();
    native.ioReceive!(desk, 0, 1 << 19, 4096);
  },
  'ioOpen: a property of the ring transfers the slab': () => {
    const slab = new ArrayBuffer(1 << 20);
    const ring = Object.defineProperty(new ArrayBuffer(4096), 'resizable', {
      get: () => {
        transfer(slab);
        return false;
      },
    });
    native.ioReceive!(native.ioOpen!(slab, ring, 0), 0, 0, 4096);
    throw new Error('no script ran');
  },
  'results: a setter of Object.prototype throws': () => {
    prototypeThrows(Object.prototype, 'soft');
    native.processDescriptorLimit!();
    throw new Error('no script ran');
  },
  'errors: a setter of Object.prototype throws': () => {
    prototypeThrows(Object.prototype, 'code');
    native.pollerTurn!();
  },
  'results: a setter of Array.prototype throws': () => {
    prototypeThrows(Array.prototype, '5');
    native.backends!();
    throw new Error('no script ran');
  },
};

const name = process.argv[2];
if (name === undefined) {
  console.log(JSON.stringify(Object.keys(cases)));
} else {
  try {
    cases[name]!();
    console.log('no error');
  } catch (error) {
    const { code, message } = Object(error) as { code?: string; message?: string };
    console.log(code ?? message ?? String(error));
  }
}
