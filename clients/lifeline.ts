/** The serial port of a guest that can be moved (vm-images/linux/init-movable): it counts there, and is told and asked. */
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { monotonicNs } from '../src/process.js';

const answerMs = 20_000;

/** What a guest has in its memory alone: its word, and what its kernel has drawn when it booted. */
export interface Kept {
  word: string;
  boot: string;
}

export class Lifeline {
  /** what it counted first and last since there is this line; -1: nothing yet */
  first = -1;
  beat = -1;
  private firstNs = 0;
  private readonly waiting = new Map<'beat' | 'kept', (text: string) => void>();

  constructor(private readonly port: Duplex) {
    // One that is gone is told by whoever waits for it.
    port.on('error', () => {});
    createInterface({ input: port }).on('line', (text) => this.take(text.trim()));
  }

  private take(text: string): void {
    const [, what, rest] = /^(beat|kept) (.+)$/.exec(text) ?? [];
    if (what === 'beat') {
      this.beat = Number(rest);
      if (this.first < 0) [this.first, this.firstNs] = [this.beat, monotonicNs()];
    }
    if (what === 'beat' || what === 'kept') this.waiting.get(what)?.(rest!);
  }

  private heard(what: 'beat' | 'kept', withinMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`the guest says nothing for ${withinMs / 1000} s`));
      const timer = setTimeout(late, withinMs);
      this.waiting.set(what, (text) => {
        clearTimeout(timer);
        this.waiting.delete(what);
        resolve(text);
      });
    });
  }

  /** @returns when it first counted, of the monotonic clock. @throws Error when it does not in time */
  async beats(withinMs: number): Promise<number> {
    if (this.first < 0) await this.heard('beat', withinMs);
    return this.firstNs;
  }

  keep(word: string): void {
    this.port.write(`keep ${word}\n`);
  }

  /** @throws Error when it does not in time */
  async tells(): Promise<Kept> {
    const told = this.heard('kept', answerMs);
    this.port.write('tell\n');
    const [word = '', boot = ''] = (await told).split(' ');
    return { word, boot };
  }
}
