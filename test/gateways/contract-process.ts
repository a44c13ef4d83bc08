/** A gateway program of a test: started, read line by line, and ended with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface GatewayLine {
  event: 'gateway';
  name: string;
  mode: string;
  address: string;
  port: number;
  pid: number;
  module: { file: string; sha256: string; bytes: number } | null;
  phases: Record<'main' | 'bound' | 'compiled' | 'instantiated' | 'listening', number | null>;
}

export interface Command {
  command: string;
  args: readonly string[];
}

export class GatewayProcess {
  readonly child: ChildProcess;
  /** every line printed so far, parsed */
  readonly lines: { event: string }[] = [];
  stderr = '';
  readonly #announced: Promise<GatewayLine>;
  readonly #closed: Promise<unknown>;

  constructor({ command, args }: Command) {
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdin!.on('error', () => {});
    this.child.stderr!.on('data', (chunk) => {
      this.stderr += chunk;
    });
    this.#closed = once(this.child, 'close');
    this.#announced = new Promise((resolve, reject) => {
      createInterface(this.child.stdout!).on('line', (text) => {
        const line = JSON.parse(text);
        this.lines.push(line);
        if (line.event === 'gateway') resolve(line);
      });
      this.#closed.then(() => reject(new Error(this.stderr.trim() || 'the gateway ended without a word')));
    });
    this.#announced.catch(() => {});
  }

  announced(): Promise<GatewayLine> {
    return this.#announced;
  }

  linesOf(event: string): unknown[] {
    return this.lines.filter((line) => line.event === event);
  }

  /** @returns exit code, or the signal that ended it */
  async ended(): Promise<number | string | null> {
    await this.#closed;
    return this.child.exitCode ?? this.child.signalCode;
  }

  descriptors(): number {
    return readdirSync(`/proc/${this.child.pid}/fd`).length;
  }

  /** Resident memory, MiB. */
  memory(): number {
    const [, kib] = readFileSync(`/proc/${this.child.pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB$/m)!;
    return Number(kib) / 1024;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#closed;
  }
}

/** Runs `body` against a fresh gateway, which ends with it. */
export async function withGateway<T>(
  command: Command,
  body: (port: number, gateway: GatewayProcess) => Promise<T>,
): Promise<T> {
  const gateway = new GatewayProcess(command);
  try {
    return await body((await gateway.announced()).port, gateway);
  } finally {
    await gateway.kill();
  }
}
