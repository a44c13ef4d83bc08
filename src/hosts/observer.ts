/** Asks the observer that runs on a host, one question at a time. */
import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import {
  type HostCounters,
  type HostLook,
  type HostState,
  hostCounters,
  hostLook,
  hostMemory,
  hostState,
  type MemoryCopy,
  type MemoryUse,
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

/** What is asked of a host's observer, whatever program that is. */
export interface Observing {
  look(): Promise<HostLook>;
  counters(): Promise<HostCounters>;
  memory(): Promise<MemoryUse>;
  state(): Promise<HostState>;
  memoryCopy(): Promise<MemoryCopy>;
  /** its clock against ours, from a few exchanges */
  clock(): Promise<ClockEstimate>;
  end(): Promise<void>;
}

/** Questions to a program, each a line that is answered by one. */
export class Questions {
  /** Answers carry no number, so questions wait for each other. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly program: HostProcess) {}

  /** What its lines are called in messages. */
  get what(): string {
    return `what ${this.program.name} says`;
  }

  /** @param event of the answer */
  ask<T>(question: string, event: string, read: (line: unknown) => T): Promise<T> {
    const answer = this.last.then(async () => {
      this.program.send(question);
      return read(await this.program.expect(event, answerMs));
    });
    this.last = answer.catch(() => {});
    return answer;
  }

  async clock(): Promise<ClockEstimate> {
    const exchanges: Exchange[] = [];
    for (let ping = 0; ping < pings; ping += 1) {
      const sentNs = monotonicNs();
      const answer = await this.ask('ping', 'pong', (line) => validated(pong, line, this.what));
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
}

export class Observer implements Observing {
  private readonly questions: Questions;

  constructor(program: HostProcess) {
    this.questions = new Questions(program);
  }

  look = (): Promise<HostLook> => this.ask('look', hostLook);
  counters = (): Promise<HostCounters> => this.ask('counters', hostCounters);
  state = (): Promise<HostState> => this.ask('state', hostState);
  async memory(): Promise<MemoryUse> {
    const { event: _, ...use } = await this.ask('memory', hostMemory);
    return use;
  }
  async memoryCopy(): Promise<MemoryCopy> {
    const { event: _, ...copy } = await this.ask('memory-copy', memoryCopyLine);
    return copy;
  }
  clock = () => this.questions.clock();
  end = () => this.questions.end();

  private ask<T>(question: string, schema: z.ZodType<T>): Promise<T> {
    const { questions } = this;
    return questions.ask(question, question, (line) => validated(schema, line, questions.what));
  }
}
