/** Brokers, providers and clients of tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import type { FromBroker } from '../../src/contract/offload.js';
import { Broker, type BrokerOptions, usualOptions } from '../../src/offload/broker.js';
import { OffloadClient } from '../../src/offload/client.js';
import { nodeProvider } from '../../src/offload/node-provider.js';
import { providerPath } from '../../src/offload/session.js';

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

/** A provider that says what a test wants. */
export class Raw {
  readonly socket: WebSocket;
  readonly #heard: FromBroker[] = [];
  #listener: (() => void) | null = null;
  readonly closed: Promise<number>;

  constructor({ port }: { port: number }) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${providerPath}`);
    this.socket.on('error', () => {});
    this.closed = new Promise((done) => this.socket.on('close', done));
    this.socket.on('message', (data) => {
      this.#heard.push(JSON.parse(String(data)));
      this.#listener?.();
    });
  }

  open(): Promise<void> {
    return new Promise((done) => this.socket.once('open', () => done()));
  }

  say(message: unknown): void {
    this.socket.send(
      typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
    );
  }

  /** The next message of that type; earlier ones are dropped. */
  async hear<Type extends FromBroker['type']>(type: Type): Promise<Extract<FromBroker, { type: Type }>> {
    for (;;) {
      const next = this.#heard.shift();
      if (next?.type === type) return next as Extract<FromBroker, { type: Type }>;
      if (!next)
        await new Promise<void>((done) => {
          this.#listener = done;
        });
    }
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
