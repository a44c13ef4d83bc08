/** How the broker is connected with a provider: messages of a WebSocket, or frames on a stream that somebody else carries. */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { OffloadTransport } from '../contract/offload.js';
import { Frames, frameOf } from './frames.js';

export interface Heard {
  /** null: it was no text */
  message(text: string | null): void;
  /** it is there */
  alive(): void;
  /** bytes have come, of a message that may not be whole yet */
  bytes(count: number): void;
  closed(): void;
}

export interface Channel {
  readonly transport: OffloadTransport;
  /** bytes that were sent and not taken yet */
  readonly unsent: number;
  send(text: string): void;
  /** asks whether it is there */
  ping(): void;
  /** after what was sent has arrived */
  close(): void;
  terminate(): void;
}

/** @param raw what the WebSocket lies on */
export function webSocketChannel(socket: WebSocket, raw: Duplex, heard: Heard): Channel {
  // Before the WebSocket has them, and with them perhaps a whole message.
  raw.prependListener('data', (chunk: Buffer) => heard.bytes(chunk.length));
  socket.on('message', (data, binary) => heard.message(binary ? null : String(data)));
  socket.on('pong', () => heard.alive());
  // What is wrong with it is seen at its close.
  socket.on('error', () => {});
  socket.on('close', () => heard.closed());
  return {
    transport: 'websocket',
    get unsent() {
      return socket.bufferedAmount;
    },
    send: (text) => socket.send(text),
    ping: () => socket.ping(),
    close: () => socket.close(1008),
    terminate: () => socket.terminate(),
  };
}

/** What a connection is upgraded to that carries frames. */
export const framesProtocol = 'dispatchbench-frames';

/**
 * @param head what has come already
 * @param most bytes of a message
 */
export function framesChannel(stream: Duplex, head: Buffer, most: number, heard: Heard): Channel {
  const frames = new Frames(most);
  const take = (chunk: Buffer) => {
    heard.bytes(chunk.length);
    let texts: string[];
    try {
      texts = frames.push(chunk);
    } catch {
      stream.destroy();
      return;
    }
    for (const text of texts) {
      if (text === '') heard.alive();
      else heard.message(text);
    }
  };
  stream.on('data', take);
  stream.on('error', () => {});
  stream.on('end', () => stream.end());
  stream.on('close', () => heard.closed());
  const send = (text: string) => {
    if (stream.writable) stream.write(frameOf(text));
  };
  const channel: Channel = {
    transport: 'webtransport',
    get unsent() {
      return stream.writableLength;
    },
    send,
    ping: () => send(''),
    close: () => stream.end(),
    terminate: () => stream.destroy(),
  };
  // Whoever listens has to know the channel before it hears of it.
  if (head.length > 0) queueMicrotask(() => take(head));
  return channel;
}
