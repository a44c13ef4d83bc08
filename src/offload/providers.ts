/** Connections of providers at the broker: who says hello in time, with the right word, and is there. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import {
  type FromBroker,
  type FromProvider,
  fromProvider,
  mostOfTask,
  type OffloadTransport,
  type Task,
} from '../contract/offload.js';
import { firstIssue } from '../contract/validated.js';
import { type Channel, framesChannel, framesProtocol, type Heard, webSocketChannel } from './channels.js';
import { same } from './tokens.js';

/** The largest message: a task's whole output as base64, and what stands around it. */
const mostMessageBytes = Math.ceil((4 * mostOfTask.outputBytes) / 3) + 65_536;
/** Of a stranger's, who has not said hello. */
const mostHelloBytes = 4096;
/** What a piece of a message takes beside its bytes: somebody may send one at a time. */
const pieceBytes = 256;
/** A provider that does not take what it is sent is of no use. */
const mostUnsentBytes = 64 << 20;
const helloMs = 5000;
/** Asked whether it is there this often; one that has not answered by the next time is gone. */
const pingMs = 5000;

type Hello = Extract<FromProvider, { type: 'hello' }>;

export interface Events {
  /** @param known to be called with its number here before it is given anything */
  join(hello: Hello, known: (id: number) => void): void;
  leave(id: number): void;
  said(id: number, message: Exclude<FromProvider, Hello>): void;
}

export class Providers {
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: mostMessageBytes,
    perMessageDeflate: false,
  });
  readonly #channels = new Map<number, Channel>();
  /** those that have not said hello count as well; with the bytes of the message that is coming */
  readonly #connections = new Map<Channel, number>();
  #partial = 0;

  constructor(
    readonly token: string,
    /** connections, and bytes of messages that are not whole yet, of all together */
    readonly most: { connections: number; partialBytes: number },
    readonly events: Events,
    readonly say: (line: string) => void,
  ) {}

  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    if (this.#connections.size >= this.most.connections) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
      return;
    }
    if (request.headers.upgrade === framesProtocol) {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${framesProtocol}\r\n\r\n`,
      );
      socket.setTimeout(0).setNoDelay(true);
      this.#connected((heard) => framesChannel(socket, head, mostMessageBytes, heard));
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (connection) =>
      this.#connected((heard) => webSocketChannel(connection, socket, heard)),
    );
  }

  /** Providers by how they are connected. */
  get transports(): Partial<Record<OffloadTransport, number>> {
    const counts: Partial<Record<OffloadTransport, number>> = {};
    for (const { transport } of this.#channels.values()) counts[transport] = (counts[transport] ?? 0) + 1;
    return counts;
  }

  assign(id: number, assignment: number, task: Task): void {
    const channel = this.#channels.get(id);
    if (!channel) return;
    send(channel, { type: 'run', assignment, task });
    if (channel.unsent > mostUnsentBytes) channel.terminate();
  }

  dismiss(id: number, reason: string): void {
    const channel = this.#channels.get(id);
    this.#channels.delete(id);
    if (!channel) return;
    this.say(`a provider was dismissed: ${reason}`);
    turnAway(channel, reason);
  }

  close(): void {
    for (const channel of this.#connections.keys()) channel.terminate();
    this.#server.close();
  }

  #holds(channel: Channel, bytes: number): void {
    this.#partial += bytes - (this.#connections.get(channel) ?? 0);
    this.#connections.set(channel, bytes);
    if (this.#partial <= this.most.partialBytes) return;
    // Whoever has most has the least to do with answers of tasks.
    const [largest] = [...this.#connections].reduce((most, one) => (one[1] > most[1] ? one : most));
    this.say('a provider was cut off: too many bytes of messages were not whole');
    this.#holds(largest, 0);
    largest.terminate();
  }

  #connected(open: (heard: Heard) => Channel): void {
    let id: number | null = null;
    let answered = true;
    const partial = () => this.#connections.get(channel) ?? 0;
    const channel = open({
      alive: () => {
        // One answer for each question costs nothing; further ones are pieces like others.
        if (!answered) this.#holds(channel, Math.max(0, partial() - 2 * pieceBytes));
        answered = true;
      },
      bytes: (count) => {
        this.#holds(channel, partial() + count + pieceBytes);
        if (id === null && partial() > mostHelloBytes) channel.terminate();
      },
      closed: () => {
        clearTimeout(late);
        clearInterval(ping);
        this.#holds(channel, 0);
        this.#connections.delete(channel);
        if (id === null) return;
        this.#channels.delete(id);
        this.events.leave(id);
      },
      message: (text) => {
        answered = true;
        this.#holds(channel, 0);
        const message = text === null ? 'it was binary' : readMessage(text);
        if (id !== null) {
          // One that is dismissed may still speak.
          if (!this.#channels.has(id)) return;
          if (typeof message !== 'string' && message.type !== 'hello') return this.events.said(id, message);
          this.dismiss(id, typeof message === 'string' ? noMessage(message) : 'it said hello twice');
          return this.events.leave(id);
        }
        if (typeof message === 'string') return turnAway(channel, noMessage(message));
        if (message.type !== 'hello') return turnAway(channel, 'it did not say hello first');
        if (!same(message.token, this.token)) return turnAway(channel, 'its token is wrong');
        clearTimeout(late);
        send(channel, { type: 'welcome', name: message.name });
        this.events.join(message, (known) => {
          id = known;
          this.#channels.set(known, channel);
        });
      },
    });
    this.#connections.set(channel, 0);
    const late = setTimeout(() => turnAway(channel, `it said no hello within ${helloMs / 1000} s`), helloMs);
    const ping = setInterval(() => {
      if (!answered) channel.terminate();
      answered = false;
      channel.ping();
    }, pingMs);
  }
}

const noMessage = (why: string): string => `its message is none of a provider: ${why}`;

const send = (channel: Channel, message: FromBroker): void => channel.send(JSON.stringify(message));

function turnAway(channel: Channel, reason: string): void {
  send(channel, { type: 'dismissed', reason });
  channel.close();
  // Whoever does not answer that either has no more to say.
  setTimeout(() => channel.terminate(), 1000).unref();
}

/** @returns what it says, or what is wrong with it */
function readMessage(text: string): FromProvider | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  const read = fromProvider.safeParse(value);
  return read.success ? read.data : firstIssue(read.error);
}
