/** What a broker is compared with: worker threads with Node's own WASI in the client itself, nothing in between. */
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';

// With them Node 20 crashes after some hundred runs of modules that write.
setFlagsFromString('--no-turbo-fast-api-calls');

export interface WasiRan {
  exitCode: number;
  stdout: Uint8Array;
}

export class WasiPool {
  readonly #idle: Worker[] = [];
  readonly #all: Worker[] = [];
  readonly #waiting: ((worker: Worker) => void)[] = [];

  /** @param files in the folder of each worker */
  constructor(module: WebAssembly.Module, workers: number, files: Readonly<Record<string, Uint8Array>> = {}) {
    const { url } = import.meta;
    for (let index = 0; index < workers; index++)
      this.#all.push(new Worker(new URL('wasi-worker.js', url), { workerData: { module, files } }));
    this.#idle.push(...this.#all);
  }

  async run(args: readonly string[]): Promise<WasiRan> {
    const worker = this.#idle.pop() ?? (await new Promise<Worker>((free) => void this.#waiting.push(free)));
    try {
      return await new Promise<WasiRan>((resolve, reject) => {
        const ended = (code: number) => reject(new Error(`a worker of the pool ended with ${code}`));
        worker.once('error', reject);
        worker.once('exit', ended);
        worker.once('message', (ran: WasiRan) => {
          worker.off('error', reject);
          worker.off('exit', ended);
          resolve(ran);
        });
        worker.postMessage(args);
      });
    } finally {
      const next = this.#waiting.shift();
      if (next) next(worker);
      else this.#idle.push(worker);
    }
  }

  async close(): Promise<void> {
    const ended = this.#all.map((worker) => new Promise((done) => worker.once('exit', done)));
    for (const worker of this.#all) worker.postMessage(null);
    await Promise.all(ended);
  }
}
