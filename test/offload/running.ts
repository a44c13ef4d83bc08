/** Brokers, providers and clients of tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import type { FromBroker } from '../../src/contract/offload.js';
import { Broker, type BrokerOptions, usualOptions } from '../../src/offload/broker.js';
import { framesProtocol } from '../../src/offload/channels.js';
import { OffloadClient } from '../../src/offload/client.js';
import { Frames, frameOf } from '../../src/offload/frames.js';
import { nodeProvider } from '../../src/offload/node-provider.js';
import { providerPath } from '../../src/offload/session.js';
import { buildSidecar } from '../../src/offload/sidecar.js';

export interface After {
  after(clean: () => unknown): void;
}

export function folderFor(t: After): string {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-offload-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const optionsOf = (folder: string, more: Partial<BrokerOptions> = {}): BrokerOptions => ({
  ...usualOptions,
  folder,
  say: () => {},
  ...more,
});

/** A broker in this process with a client, whose connections are closed before it. */
export async function brokerFor(t: After, more: Partial<BrokerOptions> = {}) {
  const broker = await Broker.open(optionsOf(folderFor(t), more));
  const at = { host: '127.0.0.1', port: broker.port };
  const client = new OffloadClient(at, broker.tokens.client, { ms: 20_000 });
  t.after(async () => {
    client.close();
    await broker.close();
  });
  return { broker, at, client };
}

/** One in this process. @returns once the broker knows it */
export async function providerFor(
  t: After,
  { broker, at }: { broker: Broker; at: { host: string; port: number } },
  more: { workers?: number; name?: string } = {},
) {
  const about = { token: broker.tokens.provider, name: 'node', workers: 2, ahead: 0, ...more };
  let known = (_name: string) => {};
  const welcome = new Promise<string>((done) => {
    known = done;
  });
  const provider = nodeProvider(at, about, { welcome: known, started() {}, ended() {}, away() {} });
  t.after(() => provider.stop());
  await welcome;
  return provider;
}

/** What the broker has said to a provider of a test. */
class Heard {
  readonly #messages: FromBroker[] = [];
  #listener: (() => void) | null = null;

  take(text: string): void {
    this.#messages.push(JSON.parse(text));
    this.#listener?.();
  }

  /** The next message of that type; earlier ones are dropped. */
  async hear<Type extends FromBroker['type']>(type: Type): Promise<Extract<FromBroker, { type: Type }>> {
    for (;;) {
      const next = this.#messages.shift();
      if (next?.type === type) return next as Extract<FromBroker, { type: Type }>;
      if (!next)
        await new Promise<void>((done) => {
          this.#listener = done;
        });
    }
  }
}

/** A provider that says what a test wants, on frames as whatever carries WebTransport sends them. */
export class Framed extends Heard {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;

  constructor({ port }: { port: number }) {
    super();
    this.socket = connect(port, '127.0.0.1');
    const frames = new Frames(1 << 24);
    let upgraded = false;
    this.socket.on('data', (chunk: Buffer) => {
      const from = upgraded ? 0 : chunk.indexOf('\r\n\r\n') + 4;
      upgraded = true;
      for (const text of frames.push(chunk.subarray(from))) {
        if (text === '') this.socket.write(frameOf(''));
        else this.take(text);
      }
    });
    this.socket.on('error', () => {});
    this.closed = new Promise((done) => this.socket.on('close', done));
    this.socket.write(
      `GET ${providerPath} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${framesProtocol}\r\n\r\n`,
    );
  }

  say(message: object): void {
    this.socket.write(frameOf(JSON.stringify(message)));
  }

  static async joined(at: { port: number }, token: string, workers = 1): Promise<Framed> {
    const framed = new Framed(at);
    framed.say({ type: 'hello', token, name: 'framed', workers, ahead: 0 });
    await framed.hear('welcome');
    return framed;
  }
}

/** The same on a WebSocket. */
export class Raw extends Heard {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;

  constructor({ port }: { port: number }) {
    super();
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${providerPath}`);
    this.socket.on('error', () => {});
    this.closed = new Promise((done) => this.socket.on('close', done));
    this.socket.on('message', (data) => this.take(String(data)));
  }

  open(): Promise<void> {
    return new Promise((done) => this.socket.once('open', () => done()));
  }

  say(message: unknown): void {
    this.socket.send(
      typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
    );
  }

  static async joined(at: { port: number }, token: string, workers = 1): Promise<Raw> {
    const raw = new Raw(at);
    await raw.open();
    raw.say({ type: 'hello', token, name: 'raw', workers, ahead: 0 });
    await raw.hear('welcome');
    return raw;
  }
}

export const text = (base64: string): string => Buffer.from(base64, 'base64').toString();
export const base64 = (bytes: string): string => Buffer.from(bytes).toString('base64');

/** Sends an upload that announces and sends that much. @returns the status, and the bytes that were taken before it came */
export const uploads = (port: number, token: string, announced: number | null, sent: number) =>
  new Promise<{ status: number; taken: number }>((resolve, reject) => {
    let taken = 0;
    const upload = request(
      {
        host: '127.0.0.1',
        port,
        method: 'PUT',
        path: `/content/${'0'.repeat(64)}`,
        headers: {
          authorization: `Bearer ${token}`,
          ...(announced !== null && { 'content-length': announced }),
        },
      },
      (response) => {
        resolve({ status: response.statusCode!, taken });
        upload.destroy();
      },
    );
    upload.on('error', reject);
    const chunk = Buffer.alloc(65_536);
    const more = () => {
      if (taken >= sent) return void upload.end();
      taken += chunk.length;
      upload.write(chunk, (error) => !error && setImmediate(more));
    };
    more();
  });

/** Why there is no WebTransport here; null: there is. */
export function missingCarrier(): string | null {
  try {
    buildSidecar(() => {});
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
