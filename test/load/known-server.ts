/**
 * A server whose behaviour is known exactly, as a process of its own: `node known-server.js BEHAVIOUR`. Prints where it
 * listens, how long it held pieces when a line comes in, and ends when its stdin does. Echoes bytes, except as the
 * behaviour says.
 */
import { createServer, type Socket } from 'node:net';

const reply = (status: string, body: string) =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** Answers the n-th GET (from 0) of a connection with `answer(n)`. */
function http(answer: (n: number) => string) {
  return (socket: Socket) => {
    let answered = 0;
    socket.on('data', (data) => {
      const requests = data.toString('latin1').split('\r\n\r\n').length - 1;
      for (let i = 0; i < requests; i++) socket.write(answer(answered++));
    });
  };
}

/** How long pieces were really held, milliseconds: on a busy machine the server itself is late. */
const held: number[] = [];

/** Holds every piece for `ms`, exact to the microsecond where the machine lets it. */
function delay(ms: number) {
  const due: { at: number; socket: Socket; data: Buffer }[] = [];
  let waiting = false;
  const look = () => {
    while (due.length > 0 && performance.now() >= due[0]!.at) {
      const { at, socket, data } = due.shift()!;
      socket.write(data);
      held.push(performance.now() - at + ms);
    }
    waiting = due.length > 0;
    if (!waiting) return;
    // Timers have millisecond steps: they bring it near, looking again at once brings it there.
    const left = due[0]!.at - performance.now();
    if (left > 8) setTimeout(look, left - 6);
    else setImmediate(look);
  };
  return (socket: Socket) => {
    socket.on('data', (data) => {
      due.push({ at: performance.now() + ms, socket, data });
      if (!waiting) look();
    });
  };
}

/** Echoes; `spoil` may change the n-th piece (from 1) of a connection, or say what to do instead. */
function echo(spoil: (data: Buffer, n: number, socket: Socket) => Buffer | null) {
  return (socket: Socket) => {
    let pieces = 0;
    socket.on('data', (data) => {
      const answer = spoil(data, ++pieces, socket);
      if (answer) socket.write(answer);
    });
  };
}

const behaviours: Record<string, (socket: Socket) => void> = {
  'delay-100ms': delay(100),
  'flip-one-bit': echo((data, n) => {
    if (n % 10 === 0) data[data.length - 1]! ^= 1;
    return data;
  }),
  'swap-replies': echo((data, n, socket) => {
    if (n === 1) socket.write(Buffer.alloc(data.length));
    return n === 1 ? null : data;
  }),
  'one-byte-at-a-time': echo((data, _, socket) => {
    for (const byte of data) socket.write(Uint8Array.of(byte));
    return null;
  }),
  'close-early': echo((data, n, socket) => {
    if (n < 10) return data;
    socket.end();
    return null;
  }),
  'reset-early': echo((data, n, socket) => {
    if (n < 10) return data;
    socket.resetAndDestroy();
    return null;
  }),
  silent: () => {},
  'silent-later': echo((data, n) => (n < 10 ? data : null)),
  chatty: (socket) => {
    socket.on('data', (data) => socket.write(Buffer.concat([data, Buffer.from('more')])));
  },
  'http-503-every-second': http((n) => reply(n % 2 ? '503 Busy' : '200 OK', 'x')),
  'http-other-body': http((n) => reply('200 OK', n === 0 ? 'one' : 'two')),
  'http-garbage': http(() => 'this is not HTTP\r\n\r\n'),
  'http-close': (socket) => {
    socket.on('data', () => socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello`));
  },
  'hang-up-idle': (socket) => {
    if (hungUp++ < 20) setTimeout(() => socket.end(), 50);
  },
};
let hungUp = 0;

const behave = behaviours[process.argv[2] ?? ''];
if (!behave) throw new Error(`no behaviour '${process.argv[2]}'`);
const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  behave(socket);
  socket.resume();
});
server.listen(0, '127.0.0.1', 2048, () => {
  console.log(JSON.stringify({ event: 'listening', port: (server.address() as { port: number }).port }));
});
process.stdin.on('data', () => {
  const medianMs = held.toSorted((a, b) => a - b)[held.length >> 1] ?? 0;
  console.log(JSON.stringify({ event: 'held', medianMs }));
});
process.stdin.on('end', () => process.exit(0));
