/** One load machine as its coordinator sees it: registered, pinged, asked for jobs, and noticed when it falls silent. */

import type { Link } from '../carriers/link.js';
import { AGENT_PROTOCOL, type AgentFacts, type Command, type Report } from '../contract/agent.js';
import { type ClockEstimate, type Exchange, estimateClock } from '../hosts/clock.js';
import { monotonicNs } from '../process.js';

export type AgentLink = Link<Report, Command>;

const REGISTER_MS = 15_000;
const KEPT_EXCHANGES = 256;
/** A client that is silent for so long is dead; it is pinged every second. */
export const SILENCE_MS = 4000;

export class Member {
  facts!: AgentFacts;
  name: string;
  gone: string | null = null;
  readonly #exchanges: Exchange[] = [];
  readonly #pings = new Map<number, number>();
  #waiting: { id: number; type: Report['type']; resolve(frame: Report): void; reject(error: Error): void }[] =
    [];
  #registered: ((frame: Report) => void) | null = null;
  #heardAt = Date.now();
  #pingId = 0;

  constructor(readonly link: AgentLink) {
    this.name = link.peer;
    link.onFrame((frame) => this.#take(frame));
    void link.ended.then((how) => this.end(how));
  }

  register(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.name} did not register within 15 s`)),
        REGISTER_MS,
      );
      const settle = (error: Error | null): void => {
        clearTimeout(timer);
        this.#registered = null;
        if (error) reject(error);
        else resolve();
      };
      void this.link.ended.then((how) => settle(new Error(how)));
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

  /** Waits for a frame about a job. A `failed` frame, or the end of the client, rejects. */
  expect(id: number, type: Report['type']): Promise<Report> {
    if (this.gone) return Promise.reject(new Error(this.gone));
    return new Promise((resolve, reject) => this.#waiting.push({ id, type, resolve, reject }));
  }

  ping(): void {
    this.#pings.set(++this.#pingId, monotonicNs());
    this.link.send({ type: 'ping', id: this.#pingId });
  }

  /** Called every beat: asks for a sign of life, and gives up when there has been none. */
  beat(): void {
    if (Date.now() - this.#heardAt > SILENCE_MS)
      this.end(`${this.name} has been silent for ${SILENCE_MS / 1000} s`);
    else this.ping();
  }

  clock(): ClockEstimate {
    return estimateClock(this.#exchanges);
  }

  get exchanges(): number {
    return this.#exchanges.length;
  }

  end(how: string): void {
    if (this.gone) return;
    this.gone = how;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(new Error(how));
  }

  #take(frame: Report): void {
    const answeredNs = monotonicNs();
    this.#heardAt = Date.now();
    if (frame.type === 'pong') {
      const sentNs = this.#pings.get(frame.id);
      this.#pings.delete(frame.id);
      if (sentNs === undefined) return;
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
