/** The sockets of the JavaScript engine and the flows over them; the layout is that of native/load/datagram_lanes.h. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { EngineConfig, EngineFlow } from './engine.js';
import type { DatagramFormat } from './js-format.js';
import { FlowLedger } from './js-ledger.js';
import { flowOrder } from './js-order.js';

export interface Flow {
  id: number;
  lane: Lane;
  ledger: FlowLedger;
  figures: EngineFlow;
}

export interface Lane {
  socket: Socket;
  flows: Flow[];
  byPort: Map<number, Flow>;
  /** unanswered datagrams of a closed loop */
  outstanding: number;
  /** which of its flows is next in a closed loop */
  next: () => number;
}

/** One datagram on its way out. */
export interface Letter {
  datagram: Buffer;
  flow: Flow;
  sequence: number;
  at: number;
  done: (error: Error | null) => void;
}

export class JsLanes {
  readonly lanes: Lane[] = [];
  /** by id */
  readonly flows: Flow[] = [];
  /** a socket that has one flow only is connected: its datagrams need no address, and errors come back to it */
  readonly connected: boolean;
  readonly #host: string;
  readonly #letters: Letter[] = [];
  /** a datagram could not be sent; its letter may be sent again */
  onError: (letter: Letter, error: NodeJS.ErrnoException) => void = () => {};

  constructor(config: EngineConfig, { identity }: DatagramFormat) {
    const { host, connections, ports, port, portOrder, seed, rate } = config;
    const count = Math.max(connections, ports);
    const keepTimes = rate === 0 || identity !== 'full';
    this.#host = host;
    this.connected = connections >= ports;
    for (let index = 0; index < connections; index++) {
      const socket = createSocket({
        type: isIPv6(host) ? 'udp6' : 'udp4',
        // The address is numeric: looking it up for every datagram would be the larger part of its cost.
        lookup: (address, _options, done) => done(null, address, isIPv6(host) ? 6 : 4),
      });
      const next = flowOrder(portOrder, Math.ceil((count - index) / connections), seed + index);
      const lane: Lane = { socket, flows: [], byPort: new Map(), outstanding: 0, next };
      for (let id = index; id < count; id += connections) {
        const figures = {
          port: port + (id % ports),
          sent: 0,
          received: 0,
          latencySumNs: 0,
          latencyMaxNs: 0,
          jitterNs: 0,
        };
        const flow: Flow = { id, lane, ledger: new FlowLedger(identity, keepTimes), figures };
        lane.flows.push(flow);
        lane.byPort.set(figures.port, flow);
        this.flows[id] = flow;
      }
      this.lanes.push(lane);
    }
  }

  /** @throws Error in one sentence when a socket cannot be had */
  async open({ receiveBuffer, sendBuffer }: EngineConfig): Promise<void> {
    try {
      for (const { socket, flows } of this.lanes) {
        // Events first: with numeric addresses they may come before the call returns.
        const listening = once(socket, 'listening');
        socket.bind(0);
        await listening;
        if (receiveBuffer > 0) socket.setRecvBufferSize(receiveBuffer);
        if (sendBuffer > 0) socket.setSendBufferSize(sendBuffer);
        if (!this.connected) continue;
        const connected = once(socket, 'connect');
        socket.connect(flows[0]!.figures.port, this.#host);
        await connected;
      }
    } catch (error) {
      this.close();
      throw new Error(`the client's sockets cannot be opened (${(error as NodeJS.ErrnoException).code})`);
    }
  }

  /**
   * A datagram to write into. node:dgram may read its bytes after send() has returned, so it is used again only when
   * it is out.
   */
  take(format: DatagramFormat, flow: Flow): Letter {
    const letter = this.#letters.pop() ?? this.#newLetter(format.blank(), flow);
    letter.flow = flow;
    return letter;
  }

  #newLetter(datagram: Buffer, flow: Flow): Letter {
    const letter: Letter = {
      datagram,
      flow,
      sequence: 0,
      at: 0,
      done: (error) => {
        if (error) this.onError(letter, error as NodeJS.ErrnoException);
        else this.#letters.push(letter);
      },
    };
    return letter;
  }

  /** With a callback: without one node:dgram tells of no error. */
  send({ datagram, flow, done }: Letter): void {
    const { socket } = flow.lane;
    if (this.connected) socket.send(datagram, done);
    else socket.send(datagram, flow.figures.port, this.#host, done);
  }

  /** The flow that a reply from `port` belongs to. */
  flowAt(lane: Lane, port: number): Flow | undefined {
    return this.connected ? lane.flows[0] : lane.byPort.get(port);
  }

  /** The local port of every socket, while they are open. */
  ports(): number[] {
    return this.lanes.map(({ socket }) => socket.address().port);
  }

  close(): void {
    for (const { socket } of this.lanes.splice(0)) socket.close();
  }
}
