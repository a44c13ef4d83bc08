/**
 * The broker: clients ask over HTTP, providers are connected by WebSocket or by what carries WebTransport, the rules are
 * core/dispatcher.ts. What it does for either is bounded: uploads, bodies, tasks that wait, providers, messages, answers that
 * are kept.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  type Answer,
  type BrokerStatus,
  contentDigest,
  type OffloadTransport,
  type Task,
  type TransportTold,
  task,
  taskRequest,
  usualLimits,
} from '../contract/offload.js';
import { printable } from '../contract/printable.js';
import { firstIssue } from '../contract/validated.js';
import { lockFolder } from '../results/lock.js';
import { Dispatcher, type Effect, type Entry, type Settings } from './core/dispatcher.js';
import { pageBytes, withMemoryLimit } from './core/module.js';
import { type Durability, Journal } from './journal.js';
import { servePage } from './page.js';
import { Providers } from './providers.js';
import { providerPath, transportPath } from './session.js';
import { Sidecar } from './sidecar.js';
import { Refused, Store } from './store.js';
import { same, type Tokens, tokensOf } from './tokens.js';

export interface BrokerOptions extends Settings {
  folder: string;
  host: string;
  port: number;
  durability: Durability;
  /** bytes of one upload, and of all content that is kept */
  uploads: { one: number; all: number };
  /** connections of providers, and bytes of messages of theirs that are not whole yet */
  providers: { connections: number; partialBytes: number };
  /** how its page is connected; others are by WebSocket */
  transport: OffloadTransport;
  say(line: string): void;
}

export const usualOptions = {
  scheduler: 'any-free',
  queue: { tasks: 2048, bytes: 64 << 20 },
  attempts: 10,
  backoff: { first: 10, most: 1000 },
  graceMs: 5000,
  kept: { tasks: 20_000, bytes: 64 << 20 },
  host: '127.0.0.1',
  port: 0,
  durability: 'process',
  uploads: { one: 64 << 20, all: 1 << 30 },
  providers: { connections: 256, partialBytes: 64 << 20 },
  transport: 'websocket',
  verify: 0,
} as const satisfies Partial<BrokerOptions>;

/** A task's JSON: its stdin as base64, and what stands around it. */
const mostBodyBytes = 2 << 20;
/** Of all bodies that are being read. */
const mostBodiesBytes = 64 << 20;
/** So long a client that was refused may go on sending. */
const lingerMs = 2000;
/** A client is answered after this time at most, and asks again. */
const mostWaitMs = 60_000;
/** Time passes in steps as small as the shortest wait of a task that came back, milliseconds. */
const tickMs = 10;
/** Modules that were looked at, so that a task of a known one costs nothing more. */
const mostChecked = 1000;

const json = (response: ServerResponse, status: number, value: object, headers = {}): void => {
  const text = `${JSON.stringify(value)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
};

export class Broker {
  readonly tokens: Tokens;
  readonly #dispatcher: Dispatcher;
  readonly #journal: Journal;
  readonly #store: Store;
  readonly #providers: Providers;
  readonly #server: Server;
  /** told with the time at which its answer was known */
  readonly #waiters = new Map<string, Set<(answer: Answer, at: number) => void>>();
  /** answers that are not written down yet */
  readonly #unwritten = new Set<string>();
  readonly #checked = new Map<string, string | null>();
  readonly #tick: NodeJS.Timeout;
  #bodies = 0;
  #sidecar: Sidecar | null = null;

  /** @throws Error in one sentence */
  static async open(options: BrokerOptions): Promise<Broker> {
    if (options.transport === 'webtransport' && !isLoopback(options.host))
      throw new Error(`WebTransport is for pages of this machine: ${options.host} is no loopback address`);
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const release = await lockFolder(options.folder, 'is a broker on this folder');
    try {
      const broker = new Broker(options, release);
      await broker.#listen();
      if (options.transport === 'webtransport')
        try {
          broker.#sidecar = await Sidecar.start(
            { host: options.host, port: broker.port },
            options.providers.connections,
            options.say,
          );
        } catch (error) {
          await broker.close();
          throw error;
        }
      return broker;
    } catch (error) {
      release();
      throw error;
    }
  }

  private constructor(
    readonly options: BrokerOptions,
    readonly release: () => void,
  ) {
    this.tokens = tokensOf(options.folder);
    this.#journal = new Journal(join(options.folder, 'journal.ndjson'), options.durability);
    this.#dispatcher = new Dispatcher(options, this.#journal.before, performance.now());
    this.#store = new Store(join(options.folder, 'content'), options.uploads);
    this.#providers = new Providers(
      this.tokens.provider,
      options.providers,
      {
        join: (hello, known) => {
          const now = performance.now();
          const [id, effects] = this.#dispatcher.join(hello, now);
          known(id);
          this.#carryOut(effects, now);
        },
        leave: (id) => this.#turn((now) => this.#dispatcher.leave(id, now)),
        said: (id, message) =>
          this.#turn((now) =>
            message.type === 'result'
              ? this.#dispatcher.result(id, message, now)
              : this.#dispatcher.unable(id, message.assignment, message.reason, now),
          ),
      },
      options.say,
    );
    this.#server = createServer({ requestTimeout: 300_000, headersTimeout: 10_000 }, (request, response) => {
      this.#answer(request, response).catch((error: Error) => {
        if (!(error instanceof Refused)) options.say(`a request failed: ${error.message}`);
        const status = error instanceof Refused ? error.status : 500;
        if (response.headersSent) response.destroy();
        else json(response, status, { error: printable(error.message) });
        readOn(request);
      });
    });
    this.#server.maxConnections = 4096;
    this.#server.on('upgrade', (request, socket, head) => {
      if (pathOf(request) === providerPath) this.#providers.upgrade(request, socket as Socket, head);
      else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    });
    this.#tick = setInterval(() => {
      this.#turn((now) => this.#dispatcher.tick(now));
      this.#journal.compact(() => this.#dispatcher.entries());
    }, tickMs);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Tasks without an answer. */
  get openTasks(): number {
    return this.#dispatcher.openTasks;
  }

  /** Process that carries WebTransport. */
  get carrier(): number | undefined {
    return this.#sidecar?.pid;
  }

  async close(): Promise<void> {
    clearInterval(this.#tick);
    await this.#sidecar?.close();
    this.#providers.close();
    const closed = new Promise((done) => this.#server.close(done));
    this.#server.closeAllConnections();
    await closed;
    this.#journal.close();
    this.release();
  }

  #listen(): Promise<void> {
    const { host, port } = this.options;
    return new Promise((done, fail) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        clearInterval(this.#tick);
        this.#journal.close();
        fail(
          error.code === 'EADDRINUSE'
            ? new Error(`port ${port} is taken: choose another with --port`)
            : error,
        );
      });
      this.#server.listen(port, host, () => done());
    });
  }

  #turn(of: (now: number) => readonly Effect[]): void {
    const now = performance.now();
    this.#carryOut(of(now), now);
  }

  /** @param now when what has these effects came about */
  #carryOut(effects: readonly Effect[], now: number): void {
    for (const effect of effects) {
      if (effect.do === 'record') this.#record(effect.entry, now);
      else if (effect.do === 'assign')
        this.#providers.assign(effect.provider, effect.assignment, effect.task);
      else if (effect.do === 'tell') this.options.say(effect.text);
      else this.#providers.dismiss(effect.provider, effect.reason);
    }
  }

  /** Whoever waits for an answer is told once it is written. */
  #record(entry: Entry, now: number): void {
    if ('accepted' in entry) {
      this.#journal.append(entry);
      return;
    }
    const { answered } = entry;
    this.#unwritten.add(answered.id);
    this.#journal.append(entry, () => {
      this.#unwritten.delete(answered.id);
      const waiting = this.#waiters.get(answered.id);
      this.#waiters.delete(answered.id);
      for (const tell of waiting ?? []) tell(answered, now);
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrived = performance.now();
    const path = pathOf(request);
    const { method = '' } = request;
    if (method === 'GET' || method === 'HEAD') {
      if (servePage(path, this.#sidecar?.origin ?? null, response)) return;
      if (path === transportPath) return json(response, 200, this.#transport());
    }
    const [, first = '', second, rest] = path.split('/');
    const who = this.#who(request);
    if (who === null)
      throw new Refused(401, "send 'Authorization: Bearer TOKEN' with a token of this broker's tokens.json");
    if (first === 'content' && second !== undefined && rest === undefined)
      return this.#content(method, second, who, request, response);
    if (who !== 'client') throw new Refused(403, 'this token is for providers: clients have another');
    if (first === 'status' && second === undefined && method === 'GET')
      return json(response, 200, this.status());
    if (first === 'tasks' && second === undefined && method === 'POST') {
      const waitMs = waitOf(request);
      const body = await this.#body(request);
      const letIn = performance.now();
      const id = this.#submit(body, letIn);
      // Whoever is told that it was let in may rely on it.
      if (waitMs === 0) await this.#journal.written();
      return this.#reply(id, waitMs, response, { arrived, letIn });
    }
    if (first === 'tasks' && second !== undefined && rest === undefined && method === 'GET')
      return this.#reply(second, waitOf(request), response, { arrived, letIn: arrived });
    throw new Refused(404, `there is no ${printable(`${method} ${path}`)} here`);
  }

  /** @throws Refused */
  #transport(): TransportTold {
    if (!this.#sidecar) return { transport: 'websocket' };
    const { now } = this.#sidecar;
    if (!now) throw new Refused(503, 'what carries WebTransport is being started anew');
    return { transport: 'webtransport', url: `${this.#sidecar.origin}${providerPath}`, certificate: now };
  }

  #who(request: IncomingMessage): keyof Tokens | null {
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (given === undefined) return null;
    if (same(given, this.tokens.client)) return 'client';
    return same(given, this.tokens.provider) ? 'provider' : null;
  }

  async #content(
    method: string,
    name: string,
    who: keyof Tokens,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const read = contentDigest.safeParse(name);
    if (!read.success)
      throw new Refused(400, `'${printable(name)}' is no name of content: ${firstIssue(read.error)}`);
    const digest = read.data;
    if (method === 'PUT' && who === 'client') {
      const length = request.headers['content-length'];
      await this.#store.put(digest, request, length === undefined ? null : Number(length));
      return json(response, 201, { digest });
    }
    if (method !== 'GET' && method !== 'HEAD')
      throw new Refused(405, `no ${printable(method)} of content for a ${who}`);
    if (!this.#store.has(digest)) throw new Refused(404, `there is no content ${digest}`);
    const { bytes, content } = this.#store.stream(digest);
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes });
    if (method === 'HEAD') {
      content.destroy();
      response.end();
    } else content.on('error', () => response.destroy()).pipe(response);
  }

  async #body(request: IncomingMessage): Promise<unknown> {
    const parts: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const part of request as AsyncIterable<Buffer>) {
        bytes += part.length;
        this.#bodies += part.length;
        if (bytes > mostBodyBytes)
          throw new Refused(413, `a task may have ${mostBodyBytes} bytes: upload what is larger as a file`);
        if (this.#bodies > mostBodiesBytes) throw new Refused(503, 'too many tasks come in at the same time');
        parts.push(part);
      }
    } finally {
      this.#bodies -= bytes;
    }
    try {
      return JSON.parse(Buffer.concat(parts).toString('utf8'));
    } catch {
      throw new Refused(400, 'a task is a JSON object, and this is none');
    }
  }

  /** @returns its id. @throws Refused */
  #submit(body: unknown, now: number): string {
    const read = taskRequest.safeParse(body);
    if (!read.success) throw new Refused(400, `this is no task: ${firstIssue(read.error)}`);
    const { id = randomUUID(), limits, ...asked } = read.data;
    const whole: Task = task.parse({ ...asked, id, limits: { ...usualLimits, ...limits } });
    if (this.#dispatcher.stateOf(id) !== null) return id;
    for (const digest of [whole.module, ...Object.values(whole.files)])
      if (!this.#store.has(digest)) throw new Refused(409, `there is no content ${digest}: upload it first`);
    const useless = this.#check(whole);
    if (useless !== null) throw new Refused(422, `the module cannot be run: ${useless}`);
    const { refused, effects } = this.#dispatcher.submit(whole, now);
    if (refused !== null) throw new Refused(429, refused);
    this.#carryOut(effects, now);
    return id;
  }

  /** Why a module is none; null: it may be run. */
  #check({ module, limits }: Task): string | null {
    const key = `${module} ${limits.memoryMiB}`;
    let found = this.#checked.get(key);
    if (found !== undefined) return found;
    try {
      withMemoryLimit(this.#store.read(module), Math.floor((limits.memoryMiB * 2 ** 20) / pageBytes));
      found = null;
    } catch (error) {
      found = (error as Error).message;
    }
    this.#checked.set(key, found);
    if (this.#checked.size > mostChecked) this.#checked.delete([...this.#checked.keys()][0]!);
    return found;
  }

  /** Tells what became of a task, at once or when it is known. */
  #reply(
    id: string,
    waitMs: number,
    response: ServerResponse,
    { arrived, letIn }: { arrived: number; letIn: number },
  ): void {
    const state = this.#dispatcher.stateOf(id);
    if (state === null)
      throw new Refused(404, `there is no task ${printable(id)}, or its answer is not kept any longer`);
    const answered = (answer: Answer, at: number) => {
      const now = performance.now();
      const timing = { total: now - arrived, back: letIn - arrived + now - at };
      json(response, 200, answer, {
        'server-timing': Object.entries(timing)
          .map(([name, ms]) => `${name};dur=${ms.toFixed(3)}`)
          .join(', '),
      });
    };
    const open = () => json(response, 202, { id, state: 'open' });
    if (state !== 'open' && !this.#unwritten.has(id)) {
      answered(state, performance.now());
      return;
    }
    if (waitMs === 0) {
      open();
      return;
    }
    const waiting = this.#waiters.get(id) ?? new Set();
    this.#waiters.set(id, waiting);
    const over = () => {
      clearTimeout(timer);
      waiting.delete(tell);
      if (waiting.size === 0 && this.#waiters.get(id) === waiting) this.#waiters.delete(id);
    };
    const tell = (answer: Answer, at: number) => {
      clearTimeout(timer);
      answered(answer, at);
    };
    const timer = setTimeout(() => {
      over();
      open();
    }, waitMs);
    waiting.add(tell);
    response.once('close', over);
  }

  status(): BrokerStatus {
    const { counts, queued, openTasks, providers } = this.#dispatcher;
    const { scheduler, queue } = this.options;
    const { transports } = this.#providers;
    return { scheduler, queued, queueBound: queue.tasks, open: openTasks, counts, providers, transports };
  }
}

/**
 * Reads what is left of a refused body, for a while, and forgets it: closed with bytes that nobody read, a connection is reset,
 * and its peer never sees why.
 */
function readOn(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  const timer = setTimeout(() => request.destroy(), lingerMs);
  request.once('close', () => clearTimeout(timer)).resume();
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

const pathOf = (request: IncomingMessage): string => (request.url ?? '/').split('?')[0]!;

/** '?wait=2.5' in seconds -> milliseconds; 0: not at all */
function waitOf(request: IncomingMessage): number {
  const given = new URLSearchParams((request.url ?? '').split('?')[1] ?? '').get('wait') ?? '0';
  const seconds = Number(given);
  if (!(seconds >= 0)) throw new Refused(400, `wait=${printable(given)} is no number of seconds`);
  return Math.min(mostWaitMs, seconds * 1000);
}
