/**
 * Namespaces of this machine that have no name. A process that only waits for the end of its stdin holds them, and the
 * kernel removes them, with the interfaces, mounts and processes in them, when it is gone: nothing is left, however this
 * process ends.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Child } from './child.js';
import type { Command } from './program.js';

const run = promisify(execFile);

const startMs = 5000;
const graceMs = 1000;

/** What may be apart from the rest of the machine; `pid`: all processes started in it end with the holder. */
export type Kind = 'net' | 'mount' | 'pid';

const holderName = 'cat';

export class Namespaces {
  private constructor(
    private readonly kinds: readonly Kind[],
    private readonly holder: Child,
    /** of the process that holds them */
    readonly pid: number,
  ) {}

  /** @throws Error in one sentence when there may be no new namespaces */
  static async make(name: string, kinds: readonly Kind[]): Promise<Namespaces> {
    // The first process of a namespace of processes has to be a child of who made it.
    const forked = kinds.includes('pid') ? ['--fork', '--mount-proc'] : [];
    const args = [...kinds.map((kind) => `--${kind}`), ...forked, holderName];
    const holder = new Child(name, { command: 'unshare', args });
    const deadline = performance.now() + startMs;
    for (;;) {
      const pid = forked.length > 0 ? childOf(holder.pid) : holder.pid;
      // It takes its name when everything that was asked for has been made.
      if (pid !== null && fact(`/proc/${pid}/comm`) === holderName) return new Namespaces(kinds, holder, pid);
      if (holder.ended() !== null)
        throw new Error(
          `no ${kinds.includes('net') ? 'network ' : ''}namespace can be made here ` +
            `(${holder.stderrTail() || 'unshare is not installed'}): ` +
            'run as root, with util-linux and iproute2 installed',
        );
      if (performance.now() > deadline) {
        await holder.end(graceMs);
        throw new Error('unshare made no namespace within 5 s');
      }
      await pause(2);
    }
  }

  /** Turns a command into one that runs in them, or in these of them. */
  enter = ({ command, args }: Command, kinds = this.kinds): Command => ({
    command: 'nsenter',
    args: [...kinds.map((kind) => `--${kind}=${this.file(kind)}`), '--', command, ...args],
  });

  /** One of them, for whom it is a file. */
  file(kind: Kind): string {
    return `/proc/${this.pid}/ns/${fileOf[kind]}`;
  }

  /** @returns what it printed. @throws Error when it fails */
  async run(command: string, ...args: string[]): Promise<string> {
    const entered = this.enter({ command, args });
    return (await run(entered.command, entered.args)).stdout;
  }

  close(): Promise<void> {
    return this.holder.end(graceMs);
  }
}

const fileOf: Record<Kind, string> = { net: 'net', mount: 'mnt', pid: 'pid' };

function fact(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

function childOf(pid: number): number | null {
  const first = fact(`/proc/${pid}/task/${pid}/children`)?.split(' ')[0];
  return first ? Number(first) : null;
}
