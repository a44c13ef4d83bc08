/**
 * The control channel as text: lines in, a reason to stop out. How its bytes are waited for differs: servers on a poller
 * watch the descriptors themselves, because their thread blocks there; the libuv twins use Node's streams.
 */
import { readSync } from 'node:fs';
import type { Farewell } from '../src/contract/server.js';
import { signalPipe } from '../src/process.js';

const STDIN = 0;
/** Longest line that is kept while it comes, characters. */
const MOST_LINE = 1 << 16;

export class ControlLines {
  /** why the server has to stop; null while it runs */
  reason: Farewell['reason'] | null = null;
  #rest = '';

  /** @param onOther takes lines that not all servers have */
  constructor(
    readonly onSnapshot: (id: string) => void,
    readonly onOther: (line: string) => void = () => {},
  ) {}

  take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!.slice(0, MOST_LINE);
    for (const line of lines) {
      if (line === 'stop') this.reason ??= 'stop';
      else if (line.startsWith('snapshot ')) this.onSnapshot(line.slice('snapshot '.length));
      else this.onOther(line);
    }
  }

  end(reason: Farewell['reason']): void {
    this.reason ??= reason;
  }
}

/** Control of a server whose thread blocks in a poller. */
export class PolledControl {
  readonly lines: ControlLines;
  /** descriptors to watch for reading */
  readonly descriptors: readonly number[];
  readonly #signals = signalPipe();
  readonly #bytes = Buffer.alloc(4096);

  constructor(useStdin: boolean, onSnapshot: (id: string) => void, onOther?: (line: string) => void) {
    this.lines = new ControlLines(onSnapshot, onOther);
    this.descriptors = useStdin ? [this.#signals, STDIN] : [this.#signals];
  }

  /** Reads what there is: a read that does not fill the buffer has emptied the pipe. */
  onReadable(fd: number): void {
    let read: number;
    do {
      try {
        read = readSync(fd, this.#bytes);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return;
        read = 0;
      }
      if (fd === this.#signals) this.lines.end('signal');
      else if (read === 0) this.lines.end('end-of-control');
      else this.lines.take(this.#bytes.toString('latin1', 0, read));
    } while (read === this.#bytes.length);
  }
}
