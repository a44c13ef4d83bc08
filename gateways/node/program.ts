/** What every gateway in Node does around its work: the two lines on stdout, and one sentence when it cannot serve. */
import { writeSync } from 'node:fs';
import { UsageError } from './options.js';

/** Readings of CLOCK_MONOTONIC, nanoseconds. */
export interface Phases {
  main: bigint;
  bound: bigint;
  compiled: bigint | null;
  instantiated: bigint | null;
  listening: bigint;
}

export interface Module {
  file: string;
  sha256: string;
  bytes: number;
}

export interface Announcement {
  mode: string;
  address: string;
  port: number;
  module: Module | null;
  phases: Phases;
}

/** Prints a line whole: the process may block or end right after. */
export function printLine(line: object): void {
  const bytes = Buffer.from(
    `${JSON.stringify(line, (_, value) => (typeof value === 'bigint' ? Number(value) : value))}\n`,
  );
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return; // nobody reads any more
    }
  }
}

export function announce({ mode, address, port, module, phases }: Announcement): void {
  printLine({ event: 'gateway', name: 'node', mode, address, port, pid: process.pid, module, phases });
}

let told = false;
export const firstReplyTold = (): boolean => told;

/** To be called after every reply 200 that was sent whole; prints once. */
export function tellFirstReply(): void {
  if (told) return;
  told = true;
  printLine({ event: 'first-reply', monotonicNs: process.hrtime.bigint() });
}

/** Runs a gateway; what it throws ends the process: with 2 after a command line that cannot be used, else with 1. */
export async function run(serve: (args: readonly string[]) => void | Promise<void>): Promise<void> {
  try {
    await serve(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`dispatchbench-gateway: ${(error as Error).message}\n`);
    process.exit(error instanceof UsageError ? 2 : 1);
  }
}

/** One sentence on why listening failed. */
export function listenRefusal(address: string, port: number, error: NodeJS.ErrnoException): Error {
  return new Error(
    error.code === 'EADDRINUSE'
      ? `${address} port ${port} is in use: choose another port, or 0 for any free one`
      : `cannot listen on ${address} port ${port}: ${error.message}`,
  );
}
