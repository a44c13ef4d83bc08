/**
 * A provider that is a browser without a window, started by us with the page open. It ends with this process however that ends:
 * a Chromium that is driven through a pipe ends when the pipe does.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type HostPort, targetText } from '../options.js';
import type { About } from './session.js';

export const usualBrowser = (): string => process.env.CHROMIUM ?? '/usr/bin/chromium';

export const missingBrowser = (executable: string): string | null =>
  existsSync(executable)
    ? null
    : `no browser at ${executable}: install chromium, or name another with --browser`;

export class Browser {
  readonly #profile = mkdtempSync(join(tmpdir(), 'dispatchbench-browser-'));
  readonly #child: ChildProcess;
  #asked = false;

  /** @param gone when it ends without having been asked to. @throws Error in one sentence */
  constructor(
    executable: string,
    broker: HostPort,
    pages: readonly About[],
    gone: (code: number | null) => void,
  ) {
    const missing = missingBrowser(executable);
    if (missing !== null) throw new Error(missing);
    const urls = pages.map(
      ({ token, name, workers }) =>
        `http://${targetText(broker)}/#${new URLSearchParams({ token, name, workers: String(workers), on: '' })}`,
    );
    const args = [
      '--headless=new',
      '--remote-debugging-pipe',
      `--user-data-dir=${this.#profile}`,
      '--no-first-run',
      '--no-default-browser-check',
      '--disable-gpu',
      '--disable-extensions',
      '--disable-component-update',
      '--disable-background-networking',
      '--disable-sync',
      '--mute-audio',
      // Pages behind the first one are providers as well.
      '--disable-background-timer-throttling',
      '--disable-backgrounding-occluded-windows',
      '--disable-renderer-backgrounding',
      // Its sandbox wants to be another user than root.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      'about:blank',
    ];
    this.#child = spawn(executable, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    // Nobody reads what it says; it has to be able to say it.
    (this.#child.stdio[4] as NodeJS.ReadableStream).resume();
    const asked = this.#child.stdio[3] as NodeJS.WritableStream;
    asked.on('error', () => {});
    // Without a window it takes one page on its command line.
    urls.forEach((url, id) => {
      asked.write(`${JSON.stringify({ id, method: 'Target.createTarget', params: { url } })}\0`);
    });
    this.#child.on('error', () => gone(null));
    process.once('exit', () => this.#removed());
    this.#child.on('exit', (code) => {
      void this.#remove();
      if (!this.#asked) gone(code);
    });
  }

  /** Ends it, whatever it does. */
  async end(): Promise<void> {
    this.#asked = true;
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((done) => this.#child.once('exit', done));
      this.#child.kill('SIGKILL');
      await ended;
    }
    await this.#remove();
  }

  /** Processes of it write for a while yet when it has ended: anew each time, since a folder may have got new files. */
  async #remove(): Promise<void> {
    for (let tries = 0; tries < 50 && !this.#removed(); tries++) await pause(100);
  }

  #removed(): boolean {
    try {
      rmSync(this.#profile, { recursive: true, force: true });
      return true;
    } catch {
      return false;
    }
  }
}
