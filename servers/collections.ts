/** Garbage collections of this process, counted without its event loop: a server of ours blocks in its poller. */
import { GCProfiler } from 'node:v8';

export class Collections {
  #profiler = new GCProfiler();
  #count = 0;
  #pauseUs = 0;

  constructor() {
    this.#profiler.start();
  }

  /** Since this object was made. */
  read(): { count: number; pauseUs: number } {
    const { statistics } = this.#profiler.stop();
    this.#profiler = new GCProfiler();
    this.#profiler.start();
    this.#count += statistics.length;
    this.#pauseUs += statistics.reduce((sum, { cost }) => sum + cost, 0);
    return { count: this.#count, pauseUs: this.#pauseUs };
  }
}
