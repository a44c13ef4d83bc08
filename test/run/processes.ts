/** Runners as child processes, and what they leave behind. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ownCommandLines } from '../support/own-processes.js';

/** Resolves when the process has printed the n-th line of an event. */
export function printed(child: ChildProcess, event: string, times: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = 0;
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (JSON.parse(line).event === event && ++seen === times) resolve();
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code} after ${seen} x ${event}`)));
  });
}

export const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.once('exit', resolve));

/** Those of the programs, by path, that this test file has running. */
export function running(paths: readonly string[]): string[] {
  return ownCommandLines().flatMap(({ pid, words }) =>
    words.some((word) => paths.includes(word)) ? [`${pid}: ${words.join(' ')}`] : [],
  );
}

/** Waits until none of these programs runs any more. */
export async function nobodyLeft(...paths: string[]): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (running(paths).length > 0 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(running(paths), []);
}
