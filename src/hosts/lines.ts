/** What a program says, kept until somebody asks for it: JSON lines by their event, the end of stderr, how it ended. */
const keptStderrLines = 8;

interface Waiter {
  event: string;
  resolve(line: unknown): void;
  reject(error: Error): void;
}

export class Lines {
  private readonly lines: { event: string; line: unknown }[] = [];
  private readonly waiters = new Set<Waiter>();
  private readonly stderr: string[] = [];
  /** how the program ended; null while it runs */
  private ending: string | null = null;

  constructor(private readonly name: string) {}

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

  /** A line of its stdout. */
  take(text: string): void {
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

  /** A line of its stderr. */
  keep(text: string): void {
    this.stderr.push(text);
    if (this.stderr.length > keptStderrLines) this.stderr.shift();
  }

  /** After its last line. The first reason counts. */
  finish(how: string): void {
    this.ending ??= how;
    for (const waiter of this.waiters) waiter.reject(this.failure(`waiting for its line '${waiter.event}'`));
    this.waiters.clear();
  }

  ended(): string | null {
    return this.ending === null ? null : `${this.name} ${this.ending}`;
  }

  stderrTail(): string {
    return this.stderr.join('\n');
  }

  private failure(when: string): Error {
    return new Error(`${this.name} ${this.ending} (${when})${this.quotedStderr()}`);
  }

  private quotedStderr(): string {
    return this.stderr.length > 0 ? `; its last words: ${this.stderr.join(' | ')}` : '';
  }
}
