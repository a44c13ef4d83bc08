/**
 * What a broker has to know after it was ended in the middle of its work: one JSON object a line, appended before anybody is
 * told. Our own file and no database, because none works on every Node that the suite runs on without a compiler: node:sqlite
 * comes with Node 22.5, better-sqlite3 is built, and sql.js writes its whole file at each commit.
 *
 * `process` hands lines to the kernel, which keeps them when the broker is killed; `machine` waits for the disk as well, for all
 * lines of one turn at once.
 */
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { answer, task } from '../contract/offload.js';
import type { Entry } from './core/dispatcher.js';

export const durabilities = ['process', 'machine'] as const;
export type Durability = (typeof durabilities)[number];

const entry = z.union([z.strictObject({ accepted: task }), z.strictObject({ answered: answer })]);

/** A file that has grown to this is written anew, when it is mostly about what is over. */
const compactBytes = 16 << 20;

const parsed = (line: string): Entry | null => {
  try {
    return entry.parse(JSON.parse(line));
  } catch {
    return null;
  }
};

export class Journal {
  #fd: number;
  #bytes: number;
  /** size after it was last written anew */
  #base = 0;
  #pending: { text: string; then: () => void }[] = [];
  #flushing = false;
  #closed = false;
  readonly before: Entry[] = [];

  /** @throws Error in one sentence when the file is damaged before its end */
  constructor(
    readonly file: string,
    readonly durability: Durability,
  ) {
    let text = '';
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    const lines = text.split('\n');
    let good = 0;
    for (const [at, line] of lines.entries()) {
      // What ends without a line end was torn.
      const found = at === lines.length - 1 || line === '' ? null : parsed(line);
      if (found) {
        this.before.push(found);
        good += Buffer.byteLength(line) + 1;
      } else if (lines.slice(at + 1).some((later) => parsed(later) !== null))
        throw new Error(`line ${at + 1} of ${file} is damaged: repair the file or move it away`);
      else break;
    }
    this.#fd = openSync(file, 'a', 0o600);
    ftruncateSync(this.#fd, good);
    this.#bytes = good;
  }

  /** @param then called once it is written as safely as asked for; in the order of the calls */
  append(written: Entry, then: () => void = () => {}): void {
    this.#pending.push({ text: `${JSON.stringify(written)}\n`, then });
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  /** All that was appended so far is written as safely as asked for. */
  written(): Promise<void> {
    return new Promise((then) => {
      if (!this.#flushing) return then();
      this.#pending.push({ text: '', then });
    });
  }

  #flush(): void {
    if (this.#closed) return;
    const batch = this.#pending;
    this.#pending = [];
    this.#write(batch.map(({ text }) => text).join(''));
    const written = () => {
      for (const { then } of batch) then();
      this.#flushing = this.#pending.length > 0;
      if (this.#flushing) setImmediate(() => this.#flush());
    };
    if (this.durability === 'process') {
      written();
      return;
    }
    fdatasync(this.#fd, (error) => {
      // Who closed it has waited for the disk as well.
      if (this.#closed) return;
      // Nobody may be told what is not sure to be known later.
      if (error) throw error;
      written();
    });
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    this.#bytes += bytes.length;
  }

  /** Writes the file anew with these alone, once it is worth it. */
  compact(entries: () => Iterable<Entry>): void {
    if (this.#flushing || this.#bytes < this.#base + compactBytes) return;
    const part = `${this.file}.part`;
    const old = this.#fd;
    this.#fd = openSync(part, 'w', 0o600);
    this.#bytes = 0;
    for (const one of entries()) this.#write(`${JSON.stringify(one)}\n`);
    fsyncSync(this.#fd);
    renameSync(part, this.file);
    const folder = openSync(dirname(this.file), 'r');
    fsyncSync(folder);
    closeSync(folder);
    closeSync(old);
    this.#base = this.#bytes;
  }

  /** Writes what was appended and is not there yet; nobody is told of it any more. */
  close(): void {
    this.#closed = true;
    this.#write(this.#pending.map(({ text }) => text).join(''));
    if (this.durability === 'machine') fdatasyncSync(this.#fd);
    closeSync(this.#fd);
  }
}
