/** A child of this process as a HostProcess: JSON lines on stdout, control on stdin, the end of stderr kept. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { HostProcess } from './host.js';
import type { Command } from './program.js';

const keptStderrLines = 8;

interface Waiter {
  event: string;
  resolve(line: unknown): void;
  reject(error: Error): void;
}

export class Child implements HostProcess {
  private readonly child: ChildProcess;
  private readonly lines: { event: string; line: unknown }[] = [];
  private readonly waiters = new Set<Waiter>();
  private readonly stderr: string[] = [];
  private readonly whenEnded: Promise<void>;
  /** how the program ended; null while it runs */
  private ending: string | null = null;

  /** In a session of its own, so that Ctrl-C at the terminal reaches only the runner, which then ends its children. */
  constructor(
    readonly name: string,
    { command, args }: Command,
  ) {
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    // A program that died has no reader; that it died is reported where somebody waits for its lines.
    this.child.stdin!.on('error', () => {});
    createInterface({ input: this.child.stdout! }).on('line', (text) => this.take(text));
    createInterface({ input: this.child.stderr! }).on('line', (text) => this.keep(text));
    this.whenEnded = new Promise((resolve) => {
      const finish = (how: string) => {
        this.ending ??= how;
        for (const waiter of this.waiters)
          waiter.reject(this.failure(`waiting for its line '${waiter.event}'`));
        this.waiters.clear();
        resolve();
      };
      this.child.once('error', (error) => finish(`could not be started (${error.message})`));
      // 'close' comes after the last line of stdout and stderr was read.
      this.child.once('close', (code, signal) =>
        finish(signal ? `was killed by ${signal}` : `ended with code ${code}`),
      );
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  expect(event: string, timeoutMs: number): Promise<unknown> {
    const index = this.lines.findIndex((line) => line.event === event);
    if (index >= 0) return Promise.resolve(this.lines.splice(index, 1)[0]!.line);
    if (this.ending !== null) return Promise.reject(this.failure(`waiting for its line '${event}'`));
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { event, resolve, reject };
      const timer = setTimeout(() => {
        this.waiters.delete(waiter);
        reject(
          new Error(
            `${this.name} did not print '${event}' within ${timeoutMs / 1000} s${this.quotedStderr()}`,
          ),
        );
      }, timeoutMs);
      waiter.resolve = (line) => {
        clearTimeout(timer);
        resolve(line);
      };
      waiter.reject = (error) => {
        clearTimeout(timer);
        reject(error);
      };
      this.waiters.add(waiter);
    });
  }

  send(line: string): void {
    this.child.stdin!.write(`${line}\n`);
  }

  async end(graceMs: number): Promise<void> {
    this.child.stdin!.end();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (await this.endedWithin(graceMs)) return;
      this.child.kill(signal);
    }
    await this.whenEnded;
  }

  ended(): string | null {
    return this.ending === null ? null : `${this.name} ${this.ending}`;
  }

  stderrTail(): string {
    return this.stderr.join('\n');
  }

  private async endedWithin(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([this.whenEnded, late]);
    clearTimeout(timer);
    return this.ending !== null;
  }

  private failure(when: string): Error {
    return new Error(`${this.name} ${this.ending} (${when})${this.quotedStderr()}`);
  }

  private quotedStderr(): string {
    return this.stderr.length > 0 ? `; its last words: ${this.stderr.join(' | ')}` : '';
  }

  private keep(text: string): void {
    this.stderr.push(text);
    if (this.stderr.length > keptStderrLines) this.stderr.shift();
  }

  private take(text: string): void {
    let line: { event?: unknown };
    try {
      line = JSON.parse(text);
    } catch {
      this.keep(text);
      return;
    }
    const event = String(line.event);
    for (const waiter of this.waiters) {
      if (waiter.event !== event) continue;
      this.waiters.delete(waiter);
      waiter.resolve(line);
      return;
    }
    this.lines.push({ event, line });
  }
}
