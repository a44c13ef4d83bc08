/**
 * The gateway on one of our pollers: native/gateway in TypeScript. The thread blocks in the poller, which watches clients,
 * upstream connections and signals; a request is answered at once, or its connection is not read until the answer is there.
 */
import { constants } from 'node:os';
import { Acceptor } from '../../servers/acceptor.js';
import { PolledControl } from '../../servers/control.js';
import {
  COMPLETE,
  HEAD_METHOD,
  HttpRequest,
  NEED_MORE,
  PROCEED,
  VERSION_1_0,
} from '../../servers/http-request.js';
import {
  IoDesk,
  RECEIVE_WINDOW,
  STAGING_BYTES,
  sockets,
  TEXTS_BYTES,
  wouldBlock,
} from '../../servers/io-desk.js';
import { Statistics } from '../../servers/statistics.js';
import type { BackendName } from '../../src/contract/common.js';
import { Event, Flag, layout } from '../../src/dispatch/layout.js';
import { Interest, openPoller, type Poller } from '../../src/dispatch/poller.js';
import { Chain } from './compute.js';
import type { Reply } from './forward.js';
import { authorityOf, type GatewayOptions } from './options.js';
import { announce, tellFirstReply } from './program.js';
import { Refusal } from './refusal.js';
import { ReplyReader } from './reply-reader.js';
import { route } from './route.js';

const MOST_HEAD = 16 * 1024;
/** A GET needs no body; what comes with one is dropped up to this many bytes. */
const MOST_BODY = 64 * 1024;
/** A peer that goes on sending after our FIN is cut off beyond this many bytes. */
const MOST_DRAINED = 1 << 20;
const MAX_EVENTS = 1024;
const READS = 4;
const GONE = Flag.error | Flag.hangup;
const FINISHED = Flag.readClosed | Flag.hangup;

const { ECONNREFUSED } = constants.errno;

const NOTHING = Buffer.alloc(0);

const phrases: Record<number, string> = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};
const reasons: Record<number, string> = {
  417: 'the only expectation met here is 100-continue',
  431: 'request line and header fields are longer than 16 KiB',
  505: 'only HTTP/1.1 and HTTP/1.0 are spoken here',
};

/** What a client is doing. */
type Phase = 'open' | 'waiting' | 'draining';

interface Client {
  kind: 'client';
  request: HttpRequest;
  phase: Phase;
  /** closes once everything is sent */
  last: boolean;
  requeued: boolean;
  drained: number;
  /** of a request that is not whole, up to its first CR */
  line: string;
  /** what arrived behind a request that waits; nothing is read while there is any */
  pending: Buffer;
  /** what the kernel had no room for; nothing is read or answered while there is any */
  unsent: Buffer;
  /** there is a reply 200 in `unsent` */
  ok: boolean;
  /** slot of the exchange it waits for, -1 without one */
  exchange: number;
}

/** A connection to the upstream, for the request of one client. */
interface Exchange {
  kind: 'exchange';
  client: number;
  connected: boolean;
  request: Buffer;
  reply: ReplyReader;
}

/** The code of the errno with which an exported call of the addon failed. */
const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? '';

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  switch (codeOf(error)) {
    case 'EMFILE':
    case 'ENFILE':
      return new Refusal(503, 'no descriptor is left for the upstream');
    case 'ERANGE':
      return new Refusal(503, 'the backend cannot watch one descriptor more');
    case 'ECONNREFUSED':
      return new Refusal(502, 'the upstream refuses connections');
    default:
      return new Refusal(502, 'the connection to the upstream failed');
  }
}

const failed = (): Refusal => new Refusal(502, 'the connection to the upstream failed');

class DispatchGateway {
  readonly #options: GatewayOptions;
  readonly #poller: Poller;
  readonly #control = new PolledControl(false, () => {});
  readonly #desk = new IoDesk();
  readonly #slab: Buffer;
  readonly #statistics = Statistics.forPoller();
  readonly #acceptor: Acceptor;
  readonly #edge: boolean;
  /** by slot */
  readonly #sides = new Map<number, Client | Exchange>();
  /** when clients and exchanges have waited too long, ms; in the order of due times, since all wait equally long */
  readonly #deadlines = new Map<number, number>();
  readonly #computations: { client: Client; slot: number; chain: Chain }[] = [];
  readonly #controls = new Set<number>();
  readonly #upstreamFields: string;
  #requeued: { slot: number; client: Client }[] = [];
  #acceptAgain = false;
  /** bytes of replies to one read, in the slab; those it has no room for */
  #staged = 0;
  #overflow: Buffer[] = [];
  #okStaged = false;
  #counter = 0;
  #now = 0;

  constructor(options: GatewayOptions, backend: BackendName) {
    this.#options = options;
    this.#poller = openPoller({ backend, maxEvents: MAX_EVENTS });
    this.#slab = Buffer.from(this.#desk.slab.buffer);
    this.#acceptor = new Acceptor(this.#poller, this.#desk, this.#statistics, {
      ...options.listen,
      backlog: options.backlog,
      maxConnections: Number.POSITIVE_INFINITY,
      budgets: { accept: 128 },
    });
    this.#edge = this.#poller.capabilities.trigger === 'edge';
    this.#upstreamFields = ` HTTP/1.1\r\nHost: ${authorityOf(options.upstream)}\r\nConnection: close\r\n\r\n`;
  }

  /** Binds, listens and registers. @throws Error with one sentence */
  open(): { address: string; port: number } {
    const bound = this.#acceptor.open();
    for (const fd of this.#control.descriptors) this.#controls.add(this.#poller.add(fd, Interest.read));
    return bound;
  }

  run(): void {
    while (this.#control.lines.reason === null) this.#turn();
  }

  #turn(): void {
    const count = this.#poller.turn(0, this.#patienceUs());
    this.#now = performance.now();
    const { events } = this.#poller;
    for (let row = 0, at = 0; row < count; row++, at += layout.eventWords) {
      if (this.#poller.isCurrent(row)) this.#onEvent(events[at + Event.slot]!, events[at + Event.flags]!);
    }
    if (this.#acceptAgain) this.#acceptSome();
    if (this.#requeued.length > 0) this.#resume();
    if (this.#computations.length > 0) this.#computeSome();
    this.#expire();
  }

  #patienceUs(): number {
    if (this.#computations.length > 0 || this.#requeued.length > 0 || this.#acceptAgain) return 0;
    const first = this.#deadlines.values().next();
    return first.done ? -1 : Math.max(0, (first.value - performance.now()) * 1000);
  }

  #onEvent(slot: number, flags: number): void {
    const side = this.#sides.get(slot);
    if (side === undefined) {
      if (slot === this.#acceptor.slot) this.#acceptSome();
      else this.#onControl(slot);
    } else if (side.kind === 'exchange') {
      this.#onExchange(slot, side);
    } else if (side.unsent.length > 0) {
      this.#flush(slot, side);
    } else if (side.phase !== 'waiting') {
      this.#read(slot, side, (flags & FINISHED) !== 0);
    } else if ((flags & GONE) !== 0 || sockets.socketError(this.#poller.descriptorOf(slot)) !== 0) {
      this.#close(slot, side); // a FIN alone would not say so, and select says nothing of errors
    } else {
      this.#watch(slot, side, Interest.none);
    }
  }

  #onControl(slot: number): void {
    if (!this.#controls.has(slot)) return;
    this.#control.onReadable(this.#poller.descriptorOf(slot));
    this.#poller.rearm(slot);
  }

  #acceptSome(): void {
    const more = this.#acceptor.acceptSome((slot) => {
      this.#sides.set(slot, {
        kind: 'client',
        request: new HttpRequest(MOST_HEAD),
        phase: 'open',
        last: false,
        requeued: false,
        drained: 0,
        line: '',
        pending: NOTHING,
        unsent: NOTHING,
        ok: false,
        exchange: -1,
      });
      this.#setDeadline(slot);
    });
    this.#acceptAgain = more && this.#edge;
    this.#poller.rearm(this.#acceptor.slot);
  }

  #setDeadline(slot: number): void {
    this.#deadlines.delete(slot);
    this.#deadlines.set(slot, this.#now + this.#options.timeoutMs);
  }

  #read(slot: number, client: Client, finished: boolean): void {
    const fd = this.#poller.descriptorOf(slot);
    const from = this.#desk.receiveFrom;
    for (let reads = 1; ; reads++) {
      const length = this.#desk.receive(fd, from, RECEIVE_WINDOW);
      if (wouldBlock(length)) break;
      if (length <= 0) {
        this.#close(slot, client);
        return;
      }
      if (!this.#take(slot, client, from, length)) return;
      if (length < RECEIVE_WINDOW && !finished) break;
      if (reads === READS) {
        if (this.#edge) this.#requeue(slot, client);
        break;
      }
    }
    this.#poller.rearm(slot);
  }

  /** @returns false when the connection is not to be read on: it is closed, waits for its answer, or for room to send */
  #take(slot: number, client: Client, from: number, length: number): boolean {
    if (client.phase === 'draining') {
      client.drained += length;
      if (client.drained <= MOST_DRAINED) return true;
      this.#close(slot, client);
      return false;
    }
    const begins = client.request.headBytes === 0;
    this.#answerAll(slot, client, this.#slab, from, from + length);
    // A request has to be whole in time, however slowly it comes.
    if (begins && this.#staged === 0) this.#setDeadline(slot);
    return this.#sendStaged(slot, client);
  }

  /** Stages the answers to bytes [from, to), up to a request that has to wait. */
  #answerAll(slot: number, client: Client, bytes: Buffer, from: number, to: number): void {
    const { request } = client;
    let at = from;
    while (at < to && !client.last && client.phase === 'open') {
      const began = at;
      const parsed = request.feed(bytes, at, to);
      at = request.taken;
      if (!client.line.endsWith('\r')) {
        const end = bytes.subarray(began, at).indexOf(13);
        client.line += bytes.toString('latin1', began, end < 0 ? at : began + end + 1);
      }
      if (parsed === COMPLETE) {
        const { line } = client;
        client.line = '';
        this.#answer(slot, client, line);
      } else if (parsed !== NEED_MORE && parsed !== PROCEED) {
        this.#refuse(client, request.status);
      } else if (request.bodyLeft > MOST_BODY) {
        this.#refuse(client, 413);
      } else if (parsed === PROCEED) {
        this.#put(Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'));
      }
    }
    if (client.phase === 'waiting' && at < to && !this.#closes(client)) {
      client.pending = Buffer.from(bytes.subarray(at, to));
    }
  }

  #answer(slot: number, client: Client, line: string): void {
    const [method, target] = line.split(' ') as [string, string];
    const chosen = route(method, target, this.#options.maxIterations);
    switch (chosen.work) {
      case 'hello':
        this.#putOk(client, 'hello');
        break;
      case 'health':
        this.#putOk(client, 'ok');
        break;
      case 'state':
        this.#putOk(client, `${this.#counter++}`);
        break;
      case 'compute':
        this.#compute(slot, client, new Chain(chosen.iterations));
        break;
      case 'forward':
        this.#forward(slot, client, target);
        break;
      case 'refuse':
        this.#putRefusal(client, new Refusal(chosen.status, chosen.reason));
    }
  }

  #compute(slot: number, client: Client, chain: Chain): void {
    if (chain.advance()) {
      this.#putOk(client, chain.text);
      return;
    }
    client.phase = 'waiting';
    this.#computations.push({ client, slot, chain });
  }

  /** A slice of one computation each turn: the others are served in between. */
  #computeSome(): void {
    const computation = this.#computations.shift()!;
    const { client, slot, chain } = computation;
    if (this.#sides.get(slot) !== client) return; // gone
    if (chain.advance()) this.#deliver(slot, client, () => this.#putOk(client, chain.text));
    else this.#computations.push(computation);
  }

  #forward(slot: number, client: Client, target: string): void {
    const { address, port } = this.#options.upstream;
    let fd = -1;
    try {
      fd = sockets.tcpConnect(address, port);
      const exchange = this.#poller.add(fd, Interest.write);
      this.#sides.set(exchange, {
        kind: 'exchange',
        client: slot,
        connected: false,
        request: Buffer.from(`GET ${target}${this.#upstreamFields}`, 'latin1'),
        reply: new ReplyReader(),
      });
      this.#setDeadline(exchange);
      client.exchange = exchange;
      client.phase = 'waiting';
    } catch (error) {
      if (fd >= 0) sockets.socketClose(fd);
      this.#putRefusal(client, refusalOf(error));
    }
  }

  #onExchange(slot: number, exchange: Exchange): void {
    try {
      const reply = this.#advance(slot, exchange);
      if (reply !== null) this.#finish(slot, exchange, (client) => this.#putReply(client, reply));
    } catch (error) {
      this.#finish(slot, exchange, (client) => this.#putRefusal(client, refusalOf(error)));
    }
  }

  /** @returns the reply once it is whole. @throws Refusal, or an errno of the poller */
  #advance(slot: number, exchange: Exchange): Reply | null {
    const fd = this.#poller.descriptorOf(slot);
    if (!exchange.connected) {
      const errno = sockets.socketError(fd);
      if (errno !== 0)
        throw errno === ECONNREFUSED ? new Refusal(502, 'the upstream refuses connections') : failed();
      exchange.connected = true;
    }
    if (exchange.request.length > 0) {
      const sent = this.#sendPiece(fd, exchange.request);
      if (sent < 0) throw failed();
      exchange.request = exchange.request.subarray(sent);
      if (exchange.request.length > 0) this.#poller.rearm(slot);
      else this.#poller.modify(slot, Interest.read);
      return null;
    }
    const from = this.#desk.receiveFrom;
    for (;;) {
      const length = this.#desk.receive(fd, from, RECEIVE_WINDOW);
      if (wouldBlock(length)) break;
      if (length < 0) throw failed();
      const reply =
        length === 0
          ? exchange.reply.finish()
          : exchange.reply.take(this.#slab.subarray(from, from + length));
      if (reply !== null) return reply;
    }
    this.#poller.rearm(slot);
    return null;
  }

  #finish(slot: number, exchange: Exchange, put: (client: Client) => void): void {
    const client = this.#sides.get(exchange.client) as Client;
    this.#endExchange(slot);
    this.#deliver(exchange.client, client, () => put(client));
  }

  #endExchange(slot: number): void {
    this.#deadlines.delete(slot);
    this.#sides.delete(slot);
    const fd = this.#poller.descriptorOf(slot);
    this.#poller.forget(slot);
    sockets.socketClose(fd);
  }

  /** Answers the request that waits: `put` stages the reply. */
  #deliver(slot: number, client: Client, put: () => void): void {
    client.phase = 'open';
    client.exchange = -1;
    put();
    if (client.unsent.length === 0) {
      if (this.#sendStaged(slot, client)) this.#readAgain(slot, client);
      return;
    }
    client.unsent = Buffer.concat([client.unsent, ...this.#stagedBytes(0)]);
    client.ok ||= this.#okStaged;
    this.#clearStaging();
  }

  /** The request cannot be read on, so the connection ends with the refusal. */
  #refuse(client: Client, status: number): void {
    const method = client.line.includes(' ') ? client.line.slice(0, client.line.indexOf(' ')) : 'GET';
    client.last = true;
    if (status !== 400 && method !== 'GET' && method !== 'HEAD') {
      this.#putRefusal(client, new Refusal(405, 'only GET and HEAD are served here'));
    } else if (status === 413) {
      this.#putRefusal(client, new Refusal(413, "the request's body is longer than 64 KiB"));
    } else if (status === 501) {
      this.#putRefusal(client, new Refusal(400, "a request's body must have a Content-Length"));
    } else {
      this.#putRefusal(client, new Refusal(status, reasons[status] ?? 'not a well-formed request'));
    }
  }

  #closes(client: Client): boolean {
    return client.last || !this.#options.keepAlive || !client.request.keepsAlive;
  }

  #putOk(client: Client, body: string): void {
    this.#putReply(client, { status: 200, type: 'text/plain', body: Buffer.from(body) });
  }

  #putRefusal(client: Client, { status, message }: Refusal): void {
    this.#putReply(client, { status, type: 'text/plain', body: Buffer.from(`${message}\n`) });
  }

  #putReply(client: Client, { status, type, body }: Reply): void {
    const closes = this.#closes(client);
    const { flags } = client.request;
    let head = `HTTP/1.1 ${status} ${phrases[status] ?? ''}\r\n`;
    if (type !== undefined) head += `Content-Type: ${type}\r\n`;
    if (status !== 204) head += `Content-Length: ${body.length}\r\n`;
    if (status === 405) head += 'Allow: GET, HEAD\r\n';
    if (closes) head += 'Connection: close\r\n';
    else if ((flags & VERSION_1_0) !== 0) head += 'Connection: keep-alive\r\n';
    this.#put(Buffer.from(`${head}\r\n`, 'latin1'));
    if ((flags & HEAD_METHOD) === 0) this.#put(body);
    client.last = closes;
    this.#okStaged ||= status === 200;
  }

  #put(bytes: Buffer): void {
    if (this.#overflow.length === 0 && this.#staged + bytes.length <= STAGING_BYTES) {
      this.#slab.set(bytes, TEXTS_BYTES + this.#staged);
      this.#staged += bytes.length;
    } else {
      this.#overflow.push(bytes);
    }
  }

  /** What is staged, but its first `taken` bytes. */
  #stagedBytes(taken: number): Buffer[] {
    return [this.#slab.subarray(TEXTS_BYTES + taken, TEXTS_BYTES + this.#staged), ...this.#overflow];
  }

  #clearStaging(): void {
    this.#staged = 0;
    this.#overflow = [];
    this.#okStaged = false;
  }

  /** Sends what is staged. Returns as #take(). */
  #sendStaged(slot: number, client: Client): boolean {
    if (this.#staged === 0) return this.#goOn(slot, client);
    const result = this.#desk.send(this.#poller.descriptorOf(slot), TEXTS_BYTES, this.#staged);
    if (result < 0 && !wouldBlock(result)) {
      this.#clearStaging();
      this.#close(slot, client);
      return false;
    }
    this.#setDeadline(slot);
    const sent = Math.max(0, result);
    const whole = sent === this.#staged && this.#overflow.length === 0;
    if (!whole) {
      client.unsent = Buffer.concat(this.#stagedBytes(sent));
      client.ok = this.#okStaged;
      this.#watch(slot, client, Interest.write);
    } else if (this.#okStaged) {
      tellFirstReply();
    }
    this.#clearStaging();
    return whole && this.#goOn(slot, client);
  }

  /** Sends of `bytes` what a window holds. @returns bytes that went, 0 where there is no room, -1 on a broken connection */
  #sendPiece(fd: number, bytes: Buffer): number {
    const { receiveFrom } = this.#desk;
    const length = Math.min(bytes.length, RECEIVE_WINDOW);
    this.#slab.set(bytes.subarray(0, length), receiveFrom);
    const result = this.#desk.send(fd, receiveFrom, length);
    if (result >= 0) return result;
    return wouldBlock(result) ? 0 : -1;
  }

  #flush(slot: number, client: Client): void {
    const fd = this.#poller.descriptorOf(slot);
    let sent: number;
    do {
      sent = this.#sendPiece(fd, client.unsent);
      if (sent < 0) {
        this.#close(slot, client);
        return;
      }
      if (sent > 0) this.#setDeadline(slot);
      client.unsent = client.unsent.subarray(sent);
      // An edge-triggered backend reports room again only after it was used up.
    } while (sent === RECEIVE_WINDOW && client.unsent.length > 0);
    if (client.unsent.length > 0) {
      this.#poller.rearm(slot);
      return;
    }
    client.unsent = NOTHING;
    if (client.ok) tellFirstReply();
    client.ok = false;
    if (this.#goOn(slot, client)) this.#readAgain(slot, client);
  }

  /** What comes after everything was sent. Returns as #take(). */
  #goOn(slot: number, client: Client): boolean {
    if (client.phase === 'waiting') {
      this.#deadlines.delete(slot);
      this.#watch(slot, client, Interest.read); // to hear when it is gone
      if (this.#sides.has(slot)) this.#poller.rearm(slot);
      return false;
    }
    if (client.last && client.phase === 'open') {
      client.pending = NOTHING;
      client.phase = 'draining';
      sockets.socketShutdown(this.#poller.descriptorOf(slot));
      return true;
    }
    if (client.pending.length === 0) return true;
    const { pending } = client;
    client.pending = NOTHING;
    this.#answerAll(slot, client, pending, 0, pending.length);
    return this.#sendStaged(slot, client); // and no deeper: what is pending now waits
  }

  /** After a time without: what arrived meanwhile is reported, on edge-triggered and one-shot backends too. */
  #readAgain(slot: number, client: Client): void {
    this.#watch(slot, client, Interest.read);
    if (!this.#sides.has(slot)) return;
    if (this.#edge) this.#requeue(slot, client);
    else this.#poller.rearm(slot);
  }

  #watch(slot: number, client: Client, interest: Interest): void {
    try {
      this.#poller.modify(slot, interest);
    } catch {
      this.#close(slot, client); // the kernel has no memory for the change: one connection less, not the gateway
    }
  }

  #requeue(slot: number, client: Client): void {
    if (client.requeued) return;
    client.requeued = true;
    this.#requeued.push({ slot, client });
  }

  #resume(): void {
    const before = this.#requeued;
    this.#requeued = [];
    for (const { slot, client } of before) {
      client.requeued = false;
      if (this.#sides.get(slot) !== client) continue; // closed since
      if (client.phase !== 'waiting' && client.unsent.length === 0) this.#read(slot, client, true);
    }
  }

  #expire(): void {
    for (const [slot, due] of this.#deadlines) {
      if (due > this.#now) break;
      const side = this.#sides.get(slot)!;
      if (side.kind === 'client') {
        this.#close(slot, side);
      } else {
        const late = new Refusal(504, 'the upstream did not answer in time');
        this.#finish(slot, side, (client) => this.#putRefusal(client, late));
      }
    }
  }

  #close(slot: number, client: Client): void {
    if (client.exchange >= 0) this.#endExchange(client.exchange);
    this.#deadlines.delete(slot);
    this.#sides.delete(slot);
    const fd = this.#poller.descriptorOf(slot);
    this.#poller.forget(slot);
    sockets.socketClose(fd);
    this.#statistics.closed++;
  }
}

/** Returns when the gateway was told to end. @throws Error with one sentence */
export function serveDispatch(options: GatewayOptions, backend: BackendName, main: bigint): void {
  const gateway = new DispatchGateway(options, backend);
  const { address, port } = gateway.open();
  const bound = process.hrtime.bigint();
  announce({
    mode: backend,
    address,
    port,
    module: null,
    phases: { main, bound, compiled: null, instantiated: null, listening: process.hrtime.bigint() },
  });
  gateway.run();
}
