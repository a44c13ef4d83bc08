/** QEMU's machine protocol over the stdin and stdout of a QEMU that is started here. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const answerMs = 20_000;
const keptLines = 5;

interface Happening {
  event: string;
  data?: { status?: string };
}

interface Reply {
  return?: unknown;
  error?: { desc: string };
}

export class Qmp {
  private readonly child: ChildProcess;
  private readonly waiting: ((reply: Reply) => void)[] = [];
  private readonly words: string[] = [];
  private ended = false;
  private over: (words: string) => void = () => {};
  /** what it said last, when it has ended */
  readonly whenEnded = new Promise<string>((resolve) => {
    this.over = resolve;
  });
  /** called for whatever QEMU tells of by itself */
  onEvent: (happening: Happening) => void = () => {};

  constructor(program: string, args: readonly string[]) {
    // It takes no end of its stdin for its own: the kernel ends it with this process, also after kill -9.
    const kept = ['--pdeathsig', 'KILL', program, ...args, '-qmp', 'stdio'];
    this.child = spawn('setpriv', kept, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdin!.on('error', () => {});
    createInterface({ input: this.child.stdout! }).on('line', (text) => {
      let line: Reply & Partial<Happening>;
      try {
        line = JSON.parse(text);
      } catch {
        return;
      }
      if (line.event !== undefined) this.onEvent({ ...line, event: line.event });
      else if ('return' in line || 'error' in line) this.waiting.shift()?.(line);
    });
    createInterface({ input: this.child.stderr! }).on('line', (text) => {
      this.words.push(text);
      if (this.words.length > keptLines) this.words.shift();
    });
    const finish = (why: string) => {
      this.ended = true;
      if (why) this.words.push(why);
      this.over(this.lastWords());
      for (const resolve of this.waiting.splice(0)) resolve({ error: { desc: this.lastWords() } });
    };
    this.child.once('error', ({ message }) => finish(message));
    this.child.once('close', () => finish(''));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** @throws Error with QEMU's own words */
  async ask<T = unknown>(execute: string, args: object = {}): Promise<T> {
    if (this.ended) throw new Error(`QEMU ended: ${this.lastWords()}`);
    let timer: NodeJS.Timeout | undefined;
    const reply = await new Promise<Reply>((resolve) => {
      this.waiting.push(resolve);
      timer = setTimeout(
        () => resolve({ error: { desc: `no answer within ${answerMs / 1000} s` } }),
        answerMs,
      );
      this.child.stdin!.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    });
    clearTimeout(timer);
    if (reply.error) throw new Error(`QEMU, asked for ${execute}: ${reply.error.desc}`);
    return reply.return as T;
  }

  async end(): Promise<void> {
    if (this.ended) return;
    const gone = new Promise<void>((resolve) => this.child.once('close', () => resolve()));
    this.child.kill('SIGKILL');
    await gone;
  }

  private lastWords(): string {
    return this.words.join(' | ') || 'it said nothing';
  }
}
