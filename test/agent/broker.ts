/** A real nats-server for tests, and the processes beside it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';

/** Why there can be none here, or null. */
export const noBroker = ((): string | null => {
  try {
    execFileSync('nats-server', ['--version'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'nats-server is not installed';
  }
})();

/** Done when the tests of the file are over, the last one first. */
export const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

/** Ends by its own id when the tests do. */
export function run(command: string, args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  cleanups.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return child;
}

/** Waits for a line of its stderr. */
export const line = (child: ChildProcess, pattern: RegExp): Promise<string> =>
  new Promise((resolve, reject) => {
    const seen: string[] = [];
    createInterface({ input: child.stderr! }).on('line', (text) => {
      seen.push(text);
      if (pattern.test(text)) resolve(text);
    });
    child.once('exit', () => reject(new Error(`ended before ${pattern}: ${seen.slice(-3).join(' | ')}`)));
  });

export interface Broker {
  url: string;
  server: ChildProcess;
}

/** A real nats-server with a password; the address it listens on is ours alone. */
export async function natsServer(address: string): Promise<Broker> {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-nats-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  writeFileSync(
    join(folder, 'nats.conf'),
    `listen: "${address}:-1"\nauthorization { user: bench, password: "p w/1" }\n`,
  );
  const server = run('nats-server', ['-c', join(folder, 'nats.conf')]);
  const port = /:(\d+)$/.exec(await line(server, /Listening for client connections on/))![1];
  const url = `nats://bench:${encodeURIComponent('p w/1')}@${address}:${port}`;
  return { url, server };
}
