/** A server program of a test: started, asked for snapshots over its control channel, and ended with the test. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import {
  type DispatchFarewell,
  type DispatchHello,
  type DispatchSnapshot,
  dispatchFarewell,
  dispatchHello,
  dispatchSnapshot,
} from '../../src/contract/server.js';

export class ServerProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #closed: Promise<unknown>;
  #stderr = '';

  constructor(command: string, args: string[]) {
    this.child = spawn(command, [...args, '--control']);
    this.child.stderr.on('data', (chunk) => {
      this.#stderr += chunk;
    });
    this.child.stdin.on('error', () => {}); // a server that refused its options reads nothing
    this.#closed = once(this.child, 'close');
    this.#lines = createInterface(this.child.stdout)[Symbol.asyncIterator]();
  }

  async #line(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done) {
      await this.#closed;
      throw new Error(this.#stderr.trim() || 'the server ended without a word');
    }
    return JSON.parse(value);
  }

  async hello(): Promise<DispatchHello> {
    return dispatchHello.parse(await this.#line());
  }

  async snapshot(): Promise<DispatchSnapshot> {
    this.child.stdin.write('snapshot t\n');
    return dispatchSnapshot.parse(await this.#line());
  }

  async farewell(): Promise<DispatchFarewell> {
    return dispatchFarewell.parse(await this.#line());
  }

  async stop(): Promise<DispatchFarewell> {
    this.child.stdin.end('stop\n');
    return this.farewell();
  }

  /** The process is gone and its output complete. */
  async ended(): Promise<void> {
    await this.#closed;
  }

  kill(): void {
    this.child.stdin.destroy(); // ends a server that the child itself started
    this.child.kill('SIGKILL');
  }
}
