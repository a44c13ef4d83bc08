/** One load machine as its coordinator sees it: registered, pinged, asked for jobs, and noticed when it falls silent. */

import type { Link } from '../carriers/link.js';
import { AGENT_PROTOCOL, type AgentFacts, type Command, type Report } from '../contract/agent.js';
import { type ClockEstimate, type Exchange, estimateClock } from '../hosts/clock.js';
import { monotonicNs } from '../process.js';

export type AgentLink = Link<Report, Command>;

const KEPT_EXCHANGES = 256;
/** Clocks of two machines may disagree so much on the length of one exchange. */
const CLOCK_SLACK_NS = 10e6;

/** How long a load machine is waited for, milliseconds. */
export interface Patience {
  registerMs: number;
  /** it is pinged so often */
  beatMs: number;
  /** one that is silent for so long is dead */
  silenceMs: number;
  /** until a job is prepared */
  readyMs: number;
  /** for a result, beyond the longest that a step can take */
  resultMs: number;
}

export const usualPatience: Patience = {
  registerMs: 15_000,
  beatMs: 1000,
  silenceMs: 4000,
  readyMs: 15_000,
  resultMs: 60_000,
};

interface Waiter {
  id: number;
  type: Report['type'];
  resolve(frame: Report): void;
  reject(error: Error): void;
}

export class Member {
  facts!: AgentFacts;
  name: string;
  gone: string | null = null;
  readonly #exchanges: Exchange[] = [];
  readonly #pings = new Map<number, number>();
  #waiting: Waiter[] = [];
  #registered: ((frame: Report) => void) | null = null;
  #heardAt = Date.now();
  #pingId = 0;

  constructor(
    readonly link: AgentLink,
    private readonly patience: Patience,
  ) {
    this.name = link.peer;
    link.onFrame((frame) => this.#take(frame));
    void link.ended.then(({ how }) => this.end(how));
  }

  register(): Promise<void> {
    const { registerMs } = this.patience;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.name} did not register within ${registerMs / 1000} s`)),
        registerMs,
      );
      const settle = (error: Error | null): void => {
        clearTimeout(timer);
        this.#registered = null;
        if (error) reject(error);
        else resolve();
      };
      void this.link.ended.then(({ how }) => settle(new Error(how)));
      this.#registered = (frame) => {
        if (frame.type === 'refused') settle(new Error(`${this.name} refused: ${frame.reason}`));
        if (frame.type !== 'register') return;
        this.name = frame.name;
        this.facts = frame.facts;
        settle(
          frame.protocol === AGENT_PROTOCOL
            ? null
            : new Error(
                `${frame.name} speaks protocol ${frame.protocol}, this is ${AGENT_PROTOCOL}: update it`,
              ),
        );
      };
    });
  }

  /** Waits for a frame about a job; a client that is late with it is given up. Rejects when it failed or is gone. */
  expect(id: number, type: Report['type'], timeoutMs: number): Promise<Report> {
    if (this.gone) return Promise.reject(new Error(this.gone));
    return new Promise<Report>((resolve, reject) => {
      const late = `${this.name} sent no '${type}' within ${(timeoutMs / 1000).toFixed(1)} s`;
      const timer = setTimeout(() => this.end(late), timeoutMs);
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(timer);
          settle(value);
        };
      this.#waiting.push({ id, type, resolve: settled(resolve), reject: settled(reject) });
    });
  }

  ping(): void {
    this.#pings.set(++this.#pingId, monotonicNs());
    this.link.send({ type: 'ping', id: this.#pingId });
  }

  /** Called every beat: asks for a sign of life, and gives up when there has been none. */
  beat(): void {
    const { silenceMs } = this.patience;
    if (Date.now() - this.#heardAt > silenceMs)
      this.end(`${this.name} has been silent for ${silenceMs / 1000} s`);
    else this.ping();
  }

  clock(): ClockEstimate {
    return estimateClock(this.#exchanges);
  }

  get exchanges(): number {
    return this.#exchanges.length;
  }

  /** Gives it up, for the reason in this sentence. */
  end(how: string): void {
    if (this.gone) return;
    this.gone = how;
    this.leave();
    for (const waiter of this.#waiting.splice(0)) waiter.reject(new Error(how));
  }

  /** A job that it still has ends with the link. */
  leave(): void {
    this.link.send({ type: 'bye' });
    this.link.close();
  }

  #take(frame: Report): void {
    if (this.gone) return;
    const answeredNs = monotonicNs();
    this.#heardAt = Date.now();
    if (frame.type === 'pong') {
      const sentNs = this.#pings.get(frame.id);
      this.#pings.delete(frame.id);
      if (sentNs === undefined) return;
      const theyTookNs = frame.sentNs - frame.receivedNs;
      if (theyTookNs < 0 || theyTookNs > answeredNs - sentNs + CLOCK_SLACK_NS) {
        this.end(`${this.name} answered a ping with times that cannot be`);
        return;
      }
      this.#exchanges.push({
        sentNs,
        theyReceivedNs: frame.receivedNs,
        theySentNs: frame.sentNs,
        answeredNs,
      });
      if (this.#exchanges.length > KEPT_EXCHANGES) this.#exchanges.shift();
      return;
    }
    if (frame.type === 'register' || frame.type === 'refused') {
      this.#registered?.(frame);
      return;
    }
    this.#waiting = this.#waiting.filter((waiter) => {
      if (waiter.id !== frame.id) return true;
      if (waiter.type === frame.type) waiter.resolve(frame);
      else if (frame.type === 'failed') waiter.reject(new Error(frame.reason));
      else return true;
      return false;
    });
  }
}
