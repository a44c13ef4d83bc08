/** Servers that break their replies, one way each: what is done with a connection, by the name of the fault. */
import type { Socket } from 'node:net';
import type { ReplyFault } from '../src/contract/selftest.js';

type Serve = (socket: Socket) => void;

const reply = (status: string, body: string) =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** Answers the n-th GET (from 0) of a connection with `answer(n)`. */
function http(answer: (n: number) => string): Serve {
  return (socket) => {
    let answered = 0;
    socket.on('data', (data) => {
      const requests = data.toString('latin1').split('\r\n\r\n').length - 1;
      for (let i = 0; i < requests; i++) socket.write(answer(answered++));
    });
  };
}

/** Echoes; `spoil` may change the n-th piece (from 1) of a connection, or say what to do instead. */
function echo(spoil: (data: Buffer, n: number, socket: Socket) => Buffer | null): Serve {
  return (socket) => {
    let pieces = 0;
    socket.on('data', (data) => {
      const answer = spoil(data, ++pieces, socket);
      if (answer) socket.write(answer);
    });
  };
}

/** The first of them are hung up on, so that whoever opens them again keeps the others. */
const hangUps = 20;
let hungUp = 0;

export const servedWith: Record<ReplyFault, Serve> = {
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
    if (hungUp++ < hangUps) setTimeout(() => socket.end(), 50);
  },
};
