/** `dispatchbench open RUN`: serves a run's folder on loopback, for browsers that may not read files. */
import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative, sep } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import send from 'send';
import { wholeNumber } from '../../options.js';
import { writeReport } from '../../report/write.js';
import { findRun } from '../../results/find.js';
import { withExamples } from '../examples.js';

export const open = withExamples(
  new Command('open')
    .argument('<run>', "folder of the run, its name under results/, or 'latest'")
    .option('--port <port>', 'port to listen on; 0: any', wholeNumber(0, 65535), 0)
    .option('--no-browser', 'only say the address'),
  [
    ['open latest', 'the newest run, in the browser where there is one'],
    [
      'open results/my-run --port 8100 --no-browser',
      'on a port of your choice, such as one that ssh forwards',
    ],
  ],
).action(async (run, { port, browser }) => {
  const folder = findRun(run);
  writeReport(folder);
  const server = await serveFolder(folder, port);
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  console.log(`${address}  (Ctrl-C ends it)`);
  const opener = browser && process.stdout.isTTY ? browserOpener(process.platform, process.env) : null;
  if (opener) show(opener, address);
});

/**
 * The program that shows an address in the browser of whoever sits here, its arguments before the address; null: nobody does.
 */
export function browserOpener(
  platform: NodeJS.Platform,
  { DISPLAY, WAYLAND_DISPLAY, CI, SSH_CONNECTION }: NodeJS.ProcessEnv,
): readonly [command: string, ...args: string[]] | null {
  if (CI) return null;
  if (platform === 'darwin') return SSH_CONNECTION ? null : ['open'];
  // What 'start' does, which is a word of the shell and no program.
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler'];
  return DISPLAY || WAYLAND_DISPLAY ? ['xdg-open'] : null;
}

/** One that cannot be started is no fault: the address is printed. */
function show([command, ...args]: readonly [string, ...string[]], address: string): void {
  spawn(command, [...args, address], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}

/**
 * Where a path of the folder really lies, below it; null: nowhere in it. A run may come from anybody, and a link in it
 * must not show what else this machine holds.
 */
function within(root: string, path: string): string | null {
  try {
    const real = realpathSync(join(root, path));
    return real.startsWith(root + sep) ? relative(root, real) : null;
  } catch {
    return null;
  }
}

/** A read-only server of one folder on 127.0.0.1. @throws Error when the port is taken */
export function serveFolder(folder: string, port: number): Promise<Server> {
  const root = realpathSync(folder);
  const server = createServer((request, response) => {
    const refuse = (status: number) =>
      response.writeHead(status, { 'content-type': 'text/plain' }).end(`${status}\n`);
    // A page elsewhere must not read the run through a name that resolves to loopback.
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '')) return refuse(403);
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405);
    let path: string;
    try {
      path = decodeURIComponent(new URL(request.url ?? '/', 'http://127.0.0.1').pathname);
    } catch {
      return refuse(400);
    }
    const file = within(root, path === '/' ? 'report.html' : path);
    if (file === null) return refuse(404);
    send(request, encodeURIComponent(file), { root, cacheControl: false, index: false })
      .on('error', ({ status }: { status?: number }) => refuse(status ?? 500))
      .on('directory', () => refuse(404))
      .pipe(response);
  });
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      fail(
        error.code === 'EADDRINUSE' ? new Error(`port ${port} is taken: choose another with --port`) : error,
      ),
    );
    server.listen(port, '127.0.0.1', () => done(server));
  });
}
