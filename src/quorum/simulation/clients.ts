/**
 * Simulated clients of a replicated machine: each has one operation under way, asks again elsewhere when nothing comes back,
 * gives up at last, and writes down what it saw. What it saw must be linearizable, whatever happened.
 */
import type { Random } from '../../statistics/random.js';
import { type Called, checkHistory } from '../linearizable.js';
import type { Command, Operation } from '../machine.js';
import type { Timeline } from './timeline.js';
import { Violation } from './violation.js';

export interface Asked {
  command: Command;
  /** calls of it so far, to be told what answers which */
  attempt: number;
}

export interface ClientPlan {
  clients: number;
  keys: number;
  /** units of time until an attempt is given up, and attempts until the operation is */
  patience: number;
  attempts: number;
  /** between a reply and the next operation */
  pause: number;
}

export class Clients {
  readonly history: Called[] = [];
  completed = 0;
  readonly #current: (Called | null)[];
  readonly #sequence: number[];
  #stopped = false;

  constructor(
    readonly plan: ClientPlan,
    readonly timeline: Timeline,
    readonly random: Random,
    /** carries an attempt to members */
    readonly ask: (asked: Asked) => void,
  ) {
    this.#current = Array.from({ length: plan.clients }, () => null);
    this.#sequence = this.#current.map(() => 0);
    for (let client = 0; client < plan.clients; client++)
      timeline.after(plan.pause * random(), () => this.#next(client));
  }

  /** No operation begins any more. */
  stop(): void {
    this.#stopped = true;
  }

  replied(client: number, sequence: number, reply: string): void {
    const current = this.#current[client] ?? null;
    if (current === null || this.#sequence[client] !== sequence) return;
    current.returned = this.timeline.now;
    current.reply = reply;
    this.completed++;
    this.#finish(client);
  }

  /** @throws Violation */
  check(): void {
    const verdict = checkHistory(this.history);
    if (!verdict.linearizable)
      throw new Violation('linearizability', `${verdict.key} of ${JSON.stringify(verdict.history)}`);
  }

  #finish(client: number): void {
    this.#current[client] = null;
    this.timeline.after(this.plan.pause * (0.5 + this.random()), () => this.#next(client));
  }

  #next(client: number): void {
    if (this.#stopped) return;
    const operation = this.#anyOperation(client);
    const called = { operation, called: this.timeline.now, returned: Number.POSITIVE_INFINITY, reply: '' };
    this.history.push(called);
    this.#current[client] = called;
    const sequence = ++this.#sequence[client]!;
    this.#try({ command: { client, sequence, operation }, attempt: 0 });
  }

  #try(asked: Asked): void {
    const { client, sequence } = asked.command;
    this.ask(asked);
    this.timeline.after(this.plan.patience, () => {
      if (this.#current[client] === null || this.#sequence[client] !== sequence) return;
      if (asked.attempt + 1 < this.plan.attempts) this.#try({ ...asked, attempt: asked.attempt + 1 });
      else this.#finish(client);
    });
  }

  #anyOperation(client: number): Operation {
    const { random } = this;
    const key = `k${Math.floor(random() * this.plan.keys)}`;
    const which = random();
    if (which < 0.5) return { kind: 'get', key };
    const value = `${client}.${this.#sequence[client]}`;
    if (which < 0.85) return { kind: 'put', key, value };
    const written = this.history.filter(({ operation }) => operation.key === key && operation.kind === 'put');
    const guess = written.at(-1)?.operation;
    return { kind: 'swap', key, value, expected: guess?.kind === 'put' ? guess.value : '' };
  }
}
