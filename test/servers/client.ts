/** A small TCP client for tests: sends pieces, collects what comes back, and says how the connection ended. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Exchange {
  bytes: Buffer;
  /** 'end': the server sent its FIN; 'length': the expected bytes came; an errno name: the connection broke */
  ended: string;
}

export interface ExchangeOptions {
  /** stop after this many bytes; otherwise at the server's FIN */
  expect?: number;
  /** send our FIN after the last piece */
  finish?: boolean;
  /** let the event loop turn between pieces, so that they arrive one by one */
  separate?: boolean;
  /** do not read before everything was handed to the kernel or it takes no more */
  slowReader?: boolean;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function exchange(
  port: number,
  pieces: readonly Uint8Array[],
  {
    expect = Number.POSITIVE_INFINITY,
    finish = false,
    separate = false,
    slowReader = false,
  }: ExchangeOptions = {},
): Promise<Exchange> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  const received: Buffer[] = [];
  let length = 0;
  const over = new Promise<string>((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('end', () => resolve('end'));
    socket.on('data', (chunk) => {
      received.push(chunk);
      length += chunk.length;
      if (length >= expect) resolve('length');
    });
    if (slowReader) socket.pause();
  });
  for (const piece of pieces) {
    socket.write(piece);
    if (separate) await pause(1);
  }
  if (finish) socket.end();
  if (slowReader) {
    // Long enough for both kernels' buffers to fill: the server has to stop reading.
    await pause(100);
    socket.resume();
  }
  const ended = await over;
  socket.destroy();
  return { bytes: Buffer.concat(received), ended };
}

export async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Sends `bytes` and waits for as many in return. */
export async function roundTrip(socket: Socket, bytes: Uint8Array, expect = bytes.length): Promise<Buffer> {
  const received: Buffer[] = [];
  let length = 0;
  socket.write(bytes);
  while (length < expect) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    received.push(chunk);
    length += chunk.length;
  }
  return Buffer.concat(received);
}

/** Asks until `holds`, at most 10 s: for states that a server reaches a little after its client did. */
export async function eventually<T>(ask: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 10_000;
  let value = await ask();
  while (!holds(value) && Date.now() < deadline) {
    await pause(5);
    value = await ask();
  }
  return value;
}
