/**
 * A client of a broker: uploads content, has tasks run, and gets each answer once, also when the broker is started anew in the
 * middle of it: it asks again by the task's own name.
 */
import { createHash, randomUUID } from 'node:crypto';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Answer,
  answer,
  type BrokerStatus,
  brokerStatus,
  type OffloadSteps,
  type TaskRequest,
} from '../contract/offload.js';
import { validated } from '../contract/validated.js';
import type { HostPort } from '../options.js';

export interface Answered extends Answer {
  /** milliseconds from asking until the answer was there */
  ms: number;
  /** of the same, in the broker, as it says: all of it, and what was neither its queue nor a provider's */
  broker: { total: number; back: number } | null;
}

export interface Patience {
  /** a broker that cannot be reached, or is full, is asked again for so long, milliseconds */
  ms: number;
}

interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

const againMs = { first: 20, most: 1000 };
const waitSeconds = 30;

/** It is there, and says no. */
export class BrokerRefused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const errorIn = (text: string): string => {
  try {
    return String((JSON.parse(text) as { error: unknown }).error);
  } catch {
    return text.slice(0, 200);
  }
};

export class OffloadClient {
  readonly #agent: Agent;

  constructor(
    readonly broker: HostPort,
    readonly token: string,
    readonly patience: Patience = { ms: 30_000 },
    connections = Number.POSITIVE_INFINITY,
  ) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, noDelay: true });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Sends content, unless the broker has it. @returns its digest */
  async upload(content: Uint8Array): Promise<string> {
    const digest = createHash('sha256').update(content).digest('hex');
    const path = `/content/${digest}`;
    const { status } = await this.#patiently('HEAD', path);
    if (status === 404) await this.#patiently('PUT', path, content, [201]);
    return digest;
  }

  /** @throws BrokerRefused; Error in one sentence when the broker is not there for as long as its patience */
  async run(asked: TaskRequest): Promise<Answered> {
    const began = performance.now();
    const body = Buffer.from(JSON.stringify({ id: randomUUID(), ...asked }));
    for (;;) {
      // Asking again with the same name is no second task.
      const { status, headers, text } = await this.#patiently(
        'POST',
        `/tasks?wait=${waitSeconds}`,
        body,
        [200, 202],
      );
      if (status === 202) continue;
      const timing = /^total;dur=([\d.]+), back;dur=([\d.]+)$/.exec(String(headers['server-timing']));
      const given = validated(answer, JSON.parse(text), "the broker's answer");
      const broker = timing && { total: Number(timing[1]), back: Number(timing[2]) };
      return { ...given, ms: performance.now() - began, broker };
    }
  }

  async status(): Promise<BrokerStatus> {
    const { text } = await this.#patiently('GET', '/status', undefined, [200]);
    return validated(brokerStatus, JSON.parse(text), "the broker's status");
  }

  async #patiently(method: string, path: string, body?: Uint8Array, wanted?: number[]): Promise<Reply> {
    const until = performance.now() + this.patience.ms;
    for (let tries = 0; ; tries++) {
      let problem: string;
      try {
        const reply = await this.#ask(method, path, body);
        const { status, text } = reply;
        if (!wanted || wanted.includes(status)) return reply;
        problem = errorIn(text);
        if (status !== 429 && status !== 503)
          throw new BrokerRefused(status, `the broker refuses: ${problem}`);
      } catch (error) {
        if (error instanceof BrokerRefused) throw error;
        problem = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      }
      const wait = Math.min(againMs.most, againMs.first * 2 ** Math.min(tries, 10)) * (0.5 + Math.random());
      if (performance.now() + wait > until) {
        const { host, port } = this.broker;
        throw new Error(`the broker at ${host}:${port} could not be asked: ${problem}`);
      }
      await pause(wait);
    }
  }

  #ask(method: string, path: string, body?: Uint8Array): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          ...this.broker,
          agent: this.#agent,
          method,
          path,
          headers: {
            authorization: `Bearer ${this.token}`,
            ...(body && { 'content-length': body.length }),
          },
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', reject);
          response.on('end', () =>
            resolve({
              status: response.statusCode!,
              headers: response.headers,
              text: Buffer.concat(parts).toString('utf8'),
            }),
          );
        },
      );
      asked.on('error', reject);
      asked.end(body);
    });
  }
}

/** Where the time of an answered task went, milliseconds; null: the broker had it from before, or does not tell. */
export function stepsOf({ ms, broker, steps }: Answered): OffloadSteps | null {
  if (steps === null || broker === null) return null;
  const { queue, away, spent } = steps;
  return {
    client: ms - broker.total,
    queue,
    wire: away - spent.inside,
    worker: spent.inside - spent.instantiate - spent.run,
    instantiate: spent.instantiate,
    run: spent.run,
    back: broker.back,
    total: ms,
  };
}
