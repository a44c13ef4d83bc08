/** One transfer by a real iperf3 between two processes of this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Command } from '../command.js';
import {
  type Iperf3Result,
  type Iperf3Spec,
  iperf3Client,
  iperf3Seconds,
  iperf3Server,
  parseIperf3,
} from '../iperf3/iperf3.js';
import { answerMs } from './patience.js';

/** A port that was free a moment ago: iperf3 cannot be asked for any. */
async function somePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A started iperf3. It stays in the group of this process, so that Ctrl-C ends it too. */
class Program {
  private readonly child: ChildProcess;
  private text = '';
  private readonly ended: Promise<void>;
  private failure: Error | null = null;
  private wake = () => {};

  constructor({ command, args }: Command) {
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (part: string) => {
        this.text += part;
        this.wake();
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once('close', () => resolve());
      this.child.once('error', ({ code, message }: NodeJS.ErrnoException) => {
        this.failure = new Error(
          code === 'ENOENT'
            ? `there is no program ${command}: install it (Debian: apt-get install iperf3)`
            : `${command} cannot be started: ${message}`,
        );
        resolve();
      });
    });
  }

  /** Until it printed `words`. @throws Error in one sentence when it ends, or does not within the time */
  async says(words: string): Promise<void> {
    const said = new Promise<void>((resolve) => {
      this.wake = () => this.text.includes(words) && resolve();
      this.wake();
    });
    await this.within(answerMs, Promise.race([said, this.ended]));
    if (this.failure) throw this.failure;
    if (!this.text.includes(words)) throw new Error(`iperf3 ended: ${this.text.trim().split('\n').at(-1)}`);
  }

  /** All it printed, once it ended. */
  async output(longestMs: number): Promise<string> {
    await this.within(longestMs, this.ended);
    if (this.failure) throw this.failure;
    return this.text;
  }

  async end(): Promise<void> {
    this.child.kill();
    await this.ended;
  }

  private async within(ms: number, what: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`iperf3 did not answer within ${ms / 1000} s`)), ms);
    });
    await Promise.race([what, late]).finally(() => clearTimeout(timer));
  }
}

/** @throws Error in one sentence when it cannot be measured */
export async function measureIperf3(spec: Omit<Iperf3Spec, 'port'>): Promise<Iperf3Result> {
  const whole = { ...spec, port: await somePort() };
  const server = new Program(iperf3Server(whole));
  let client: Program | undefined;
  try {
    await server.says('Server listening');
    client = new Program(iperf3Client(whole));
    return parseIperf3(await client.output(iperf3Seconds(spec.durationMs) * 1000 + answerMs));
  } finally {
    await client?.end();
    await server.end();
  }
}
