/** A child of this process as a HostProcess: JSON lines on stdout, control on stdin, the end of stderr kept. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { HostProcess } from './host.js';
import { Lines } from './lines.js';
import type { Command } from './program.js';

export class Child implements HostProcess {
  private readonly child: ChildProcess;
  private readonly lines: Lines;
  private readonly whenEnded: Promise<void>;

  /** In a session of its own, so that Ctrl-C at the terminal reaches only the runner, which then ends its children. */
  constructor(
    readonly name: string,
    { command, args }: Command,
  ) {
    this.lines = new Lines(name);
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    // A program that died has no reader; that it died is reported where somebody waits for its lines.
    this.child.stdin!.on('error', () => {});
    createInterface({ input: this.child.stdout! }).on('line', (text) => this.lines.take(text));
    createInterface({ input: this.child.stderr! }).on('line', (text) => this.lines.keep(text));
    this.whenEnded = new Promise((resolve) => {
      const finish = (how: string) => {
        this.lines.finish(how);
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
    return this.lines.expect(event, timeoutMs);
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
    return this.lines.ended();
  }

  stderrTail(): string {
    return this.lines.stderrTail();
  }

  private async endedWithin(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([this.whenEnded, late]);
    clearTimeout(timer);
    return this.ended() !== null;
  }
}
