/** Connections of providers at the broker: who says hello in time, with the right word, and is there. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  type FromBroker,
  type FromProvider,
  fromProvider,
  mostOfTask,
  type Task,
} from '../contract/offload.js';
import { firstIssue } from '../contract/validated.js';
import { same } from './tokens.js';

/** The largest message: a task's whole output as base64, and what stands around it. */
const mostMessageBytes = Math.ceil((4 * mostOfTask.outputBytes) / 3) + 65_536;
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
  readonly #sockets = new Map<number, WebSocket>();
  /** those that have not said hello count as well */
  #connections = 0;

  constructor(
    readonly token: string,
    readonly most: number,
    readonly events: Events,
    readonly say: (line: string) => void,
  ) {}

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#connections >= this.most) {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (connection) => this.#connected(connection));
  }

  assign(id: number, assignment: number, task: Task): void {
    const socket = this.#sockets.get(id);
    if (!socket) return;
    send(socket, { type: 'run', assignment, task });
    if (socket.bufferedAmount > mostUnsentBytes) socket.terminate();
  }

  dismiss(id: number, reason: string): void {
    const socket = this.#sockets.get(id);
    this.#sockets.delete(id);
    if (!socket) return;
    this.say(`a provider was dismissed: ${reason}`);
    turnAway(socket, reason);
  }

  close(): void {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }

  #connected(socket: WebSocket): void {
    this.#connections += 1;
    let id: number | null = null;
    let answered = true;
    const late = setTimeout(() => turnAway(socket, `it said no hello within ${helloMs / 1000} s`), helloMs);
    const ping = setInterval(() => {
      if (!answered) socket.terminate();
      answered = false;
      socket.ping();
    }, pingMs);
    socket.on('pong', () => {
      answered = true;
    });
    // What is wrong with it is seen at its close.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(late);
      clearInterval(ping);
      this.#connections -= 1;
      if (id === null) return;
      this.#sockets.delete(id);
      this.events.leave(id);
    });
    socket.on('message', (data, binary) => {
      answered = true;
      const message = binary ? 'it was binary' : readMessage(String(data));
      if (id !== null) {
        // One that is dismissed may still speak.
        if (!this.#sockets.has(id)) return;
        if (typeof message !== 'string' && message.type !== 'hello') return this.events.said(id, message);
        this.dismiss(id, typeof message === 'string' ? noMessage(message) : 'it said hello twice');
        return this.events.leave(id);
      }
      if (typeof message === 'string') return turnAway(socket, noMessage(message));
      if (message.type !== 'hello') return turnAway(socket, 'it did not say hello first');
      if (!same(message.token, this.token)) return turnAway(socket, 'its token is wrong');
      clearTimeout(late);
      send(socket, { type: 'welcome', name: message.name });
      this.events.join(message, (known) => {
        id = known;
        this.#sockets.set(known, socket);
      });
    });
  }
}

const noMessage = (why: string): string => `its message is none of a provider: ${why}`;

const send = (socket: WebSocket, message: FromBroker): void => socket.send(JSON.stringify(message));

function turnAway(socket: WebSocket, reason: string): void {
  send(socket, { type: 'dismissed', reason });
  socket.close(1008);
  // Whoever does not answer that either has no more to say.
  setTimeout(() => socket.terminate(), 1000).unref();
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
