/** A connection to a replica that speaks in frames. */
import { connect, type Socket } from 'node:net';
import type { HostPort } from '../../src/options.js';
import { type Frame, FrameReader, Kind, MOST_CLIENT_FRAME, readFrame } from '../../src/quorum/frames.js';
import { decodeReply, type Reply } from '../../src/quorum/requests.js';

export class Link {
  readonly #socket: Socket;
  readonly #reader = new FrameReader(MOST_CLIENT_FRAME);
  closed = false;

  /**
   * @param replied called with each reply
   * @param ended called once, when the connection broke or was never made
   */
  constructor(at: HostPort, replied: (reply: Reply, frame: Frame) => void, ended: () => void) {
    this.#socket = connect({ host: at.host, port: at.port, noDelay: true });
    this.#socket.on('error', () => {});
    this.#socket.on('data', (bytes) => {
      const good = this.#reader.feed(bytes, (whole) => {
        const frame = readFrame(whole);
        if (frame?.kind === Kind.reply) replied(decodeReply(frame.body), frame);
      });
      if (!good) this.#socket.destroy();
    });
    this.#socket.on('close', () => {
      this.closed = true;
      ended();
    });
  }

  send(frame: Uint8Array): void {
    if (!this.closed) this.#socket.write(frame);
  }

  close(): void {
    this.#socket.destroy();
  }
}
