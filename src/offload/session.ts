/** A provider's side of the connection to its broker, in Node and in a page: says hello, runs what it is given, says what came. */
import type { FromBroker, FromProvider, Outcome, Task } from '../contract/offload.js';
import { type Pool, Unable } from './pool.js';

/** The path of the WebSocket, and of the session of WebTransport. */
export const providerPath = '/provider';
/** Where a page asks how it is to be connected. */
export const transportPath = '/transport';

export interface About {
  token: string;
  name: string;
  workers: number;
  ahead: number;
}

/** What somebody may want to know of it. */
export interface Watcher {
  /** the broker takes it, and calls it so */
  welcome(name: string): void;
  started(task: Task): void;
  /** null: it went back to the broker */
  ended(task: Task, outcome: Outcome | null, ms: number): void;
}

export class Session {
  /** why the broker does not want it; null: it does, as far as is known */
  dismissed: string | null = null;
  #open = true;

  constructor(
    readonly pool: Pool,
    readonly send: (text: string) => void,
    readonly watcher: Watcher,
  ) {}

  hello(about: About): void {
    this.#say({ type: 'hello', ...about });
  }

  /** The broker is taken at its word: whoever runs what it sends has to trust it anyway. */
  message(text: string): void {
    const said = JSON.parse(text) as FromBroker;
    if (said.type === 'welcome') this.watcher.welcome(said.name);
    else if (said.type === 'dismissed') this.dismissed = said.reason;
    else void this.#run(said.assignment, said.task);
  }

  /** What is still running is of no use to anybody. */
  closed(): void {
    this.#open = false;
  }

  async #run(assignment: number, task: Task): Promise<void> {
    const began = performance.now();
    this.watcher.started(task);
    let outcome: Outcome | null = null;
    try {
      const result = await this.pool.run(task);
      outcome = result.outcome;
      this.#say({ type: 'result', assignment, ...result });
    } catch (error) {
      const reason = error instanceof Unable ? error.message : `${(error as Error).message}`;
      this.#say({ type: 'unable', assignment, reason: reason.slice(0, 1000) });
    }
    this.watcher.ended(task, outcome, performance.now() - began);
  }

  #say(message: FromProvider): void {
    if (this.#open) this.send(JSON.stringify(message));
  }
}
