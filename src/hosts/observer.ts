/** Asks the observer that runs on a host, one question at a time. */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type HostCounters,
  type HostLook,
  type HostState,
  hostCounters,
  hostLook,
  hostState,
  type MemoryCopy,
  memoryCopyLine,
  pong,
} from '../contract/host.js';
import { validated } from '../contract/validated.js';
import { monotonicNs } from '../process.js';
import { type ClockEstimate, type Exchange, estimateClock } from './clock.js';
import type { HostProcess } from './host.js';
import type { Program } from './program.js';

/** For a program to start or to answer, far above what a loaded machine needs. */
const answerMs = 30_000;
const graceMs = 1000;
const pings = 16;

export const observerProgram: Program = { script: 'clients/observer', args: [] };

export class Observer {
  /** Answers carry no number, so questions wait for each other. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly program: HostProcess) {}

  look = (): Promise<HostLook> => this.ask('look', (line) => validated(hostLook, line, this.what));
  counters = (): Promise<HostCounters> =>
    this.ask('counters', (line) => validated(hostCounters, line, this.what));
  state = (): Promise<HostState> => this.ask('state', (line) => validated(hostState, line, this.what));
  memoryCopy = (): Promise<MemoryCopy> =>
    this.ask('memory-copy', (line) => {
      const { event: _, ...copy } = validated(memoryCopyLine, line, this.what);
      return copy;
    });

  /** Their clock against ours, from a few exchanges. */
  async clock(): Promise<ClockEstimate> {
    const exchanges: Exchange[] = [];
    for (let ping = 0; ping < pings; ping += 1) {
      const sentNs = monotonicNs();
      const answer = await this.ask('ping', (line) => validated(pong, line, this.what), 'pong');
      exchanges.push({
        sentNs,
        theyReceivedNs: answer.receivedNs,
        theySentNs: answer.sentNs,
        answeredNs: monotonicNs(),
      });
      await pause(1);
    }
    return estimateClock(exchanges);
  }

  end(): Promise<void> {
    return this.program.end(graceMs);
  }

  private get what(): string {
    return `what ${this.program.name} says`;
  }

  private ask<T>(question: string, read: (line: unknown) => T, event = question): Promise<T> {
    const answer = this.last.then(async () => {
      this.program.send(question);
      return read(await this.program.expect(event, answerMs));
    });
    this.last = answer.catch(() => {});
    return answer;
  }
}
