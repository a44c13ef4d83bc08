/** A provider that stays connected to its broker, in Node and in a page: a broker that starts anew finds it again. */
import { type Means, Pool } from './pool.js';
import { type About, Session, type Watcher } from './session.js';

/** What is used of a WebSocket, of a page's and of the package `ws`. */
export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  onerror: (() => void) | null;
  send(text: string): void;
  close(): void;
}

export interface Told extends Watcher {
  /** it is not connected, and tries again after so many milliseconds; null: it does not, because of this reason */
  away(againMs: number | null, reason: string): void;
}

const againMs = { first: 100, most: 5000 };

export class Connection {
  #pool: Pool;
  #socket: SocketLike | null = null;
  #session: Session | null = null;
  #again: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #stopped = false;

  constructor(
    readonly open: () => SocketLike,
    readonly means: Means,
    readonly about: About,
    readonly told: Told,
  ) {
    this.#pool = new Pool(means, about.workers);
    this.#connect();
  }

  /** Ends connection and workers; what they had goes to other providers. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#again);
    this.#session?.closed();
    this.#socket?.close();
    this.#pool.end();
  }

  #connect(): void {
    const socket = this.open();
    this.#socket = socket;
    const session = new Session(this.#pool, (text) => socket.send(text), {
      ...this.told,
      welcome: (name) => {
        this.#failures = 0;
        this.told.welcome(name);
      },
    });
    this.#session = session;
    socket.onopen = () => session.hello(this.about);
    socket.onmessage = ({ data }) => session.message(String(data));
    // What is wrong is seen at its close.
    socket.onerror = () => {};
    socket.onclose = () => {
      session.closed();
      if (this.#stopped) return;
      // What still runs is of no use to anybody.
      if (this.#pool.busy > 0) {
        this.#pool.end();
        this.#pool = new Pool(this.means, this.about.workers);
      }
      if (session.dismissed !== null) return this.told.away(null, session.dismissed);
      const wait = Math.min(againMs.most, againMs.first * 2 ** this.#failures++);
      this.told.away(wait, 'the broker is not there');
      this.#again = setTimeout(() => this.#connect(), wait);
    };
  }
}
