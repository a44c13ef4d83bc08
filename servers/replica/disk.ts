/** What a member has on its disk: the log of the addon (native/quorum), whose records are those of src/quorum/raft/record.ts. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { addon } from '../../src/addon.js';
import type { Entry } from '../../src/quorum/raft/log.js';
import type { Write } from '../../src/quorum/raft/messages.js';
import { encodeWrite, recovered } from '../../src/quorum/raft/record.js';
import type { Durable } from '../../src/quorum/raft/state.js';

/** The addon's log, as JavaScript has it. */
export interface LogExports {
  logOpen(folder: string, syncs: boolean): number;
  logRecovered(handle: number): Uint8Array[];
  logTorn(handle: number): number;
  logAppend(handle: number, record: Uint8Array, begins: boolean): number;
  logDescriptor(handle: number): number;
  logProgress(handle: number, into: Float64Array): void;
  logClose(handle: number): void;
}

const native = addon<LogExports>();

/** Words of the progress; see native/addon/quorum.cc. */
const Progress = { number: 0, syncs: 1, bytes: 2, busyNs: 3, lastEndedNs: 4, error: 6, words: 7 } as const;

/** Code of the error by which a replica has to end. */
export const LOG_FAILED = 'ERR_LOG_FAILED';

/** Stays in a folder that was lost once. */
const lostMark = (folder: string): string => join(folder, 'lost');

/** What was there is gone, and it is known that it was. */
export function loseFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(lostMark(folder), '');
}

export class Disk {
  readonly durable: Durable;
  readonly lost: boolean;
  /** bytes of a torn tail that were cut off */
  readonly tornBytes: number;
  /** readable when there is progress; -1: what is written is as durable as it will be */
  readonly descriptor: number;
  /** number of the last write */
  written = 0;
  readonly #handle: number;
  readonly #progress = new Float64Array(Progress.words);

  /** @throws Error in one sentence when it is damaged, or cannot be written */
  constructor(folder: string, syncs: boolean) {
    this.lost = existsSync(lostMark(folder));
    this.#handle = native.logOpen(folder, syncs);
    this.durable = recovered(native.logRecovered(this.#handle));
    this.tornBytes = native.logTorn(this.#handle);
    this.descriptor = native.logDescriptor(this.#handle);
  }

  /** @param kept of a write with a snapshot: all entries behind that */
  write(write: Write, kept: readonly Entry[]): void {
    const { record, begins } = encodeWrite(write, kept);
    this.written = native.logAppend(this.#handle, record, begins);
  }

  /** @throws Error in one sentence when the disk took something no more: nothing is certain from then on */
  progress(): { number: number; endedNs: number } {
    native.logProgress(this.#handle, this.#progress);
    const errno = this.#progress[Progress.error]!;
    if (errno !== 0)
      throw Object.assign(new Error(`the log cannot be written (${getSystemErrorName(-errno)})`), {
        code: LOG_FAILED,
      });
    return { number: this.#progress[Progress.number]!, endedNs: this.#progress[Progress.lastEndedNs]! };
  }

  counts(): { syncs: number; bytes: number; busyNs: number } {
    native.logProgress(this.#handle, this.#progress);
    return {
      syncs: this.#progress[Progress.syncs]!,
      bytes: this.#progress[Progress.bytes]!,
      busyNs: this.#progress[Progress.busyNs]!,
    };
  }

  close(): void {
    native.logClose(this.#handle);
  }
}
