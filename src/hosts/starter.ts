/** The side of the starter (src/contract/starter.ts): runs programs of this machine for a runner elsewhere. */
import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { packageVersion } from '../addon.js';
import { type Link, streamLink } from '../carriers/link.js';
import { type StarterReport, type StarterRequest, starterRequest } from '../contract/starter.js';
import { ownInstallation } from './program.js';

const lastGraceMs = 2000;

/** Closes its stdin, which ends it by contract, then insists. */
function end(child: ChildProcess, graceMs: number): void {
  child.stdin!.end();
  const timers = (['SIGTERM', 'SIGKILL'] as const).map((signal, step) =>
    setTimeout(() => child.kill(signal), graceMs * (step + 1)),
  );
  child.once('close', () => timers.forEach(clearTimeout));
}

/** Serves one runner until the link ends. @returns how it ended */
async function serveStarter(link: Link<StarterRequest, StarterReport>): Promise<string> {
  const running = new Map<number, ChildProcess>();

  function start(id: number, command: string, args: string[]): void {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    running.set(id, child);
    child.stdin.on('error', () => {});
    createInterface({ input: child.stdout }).on('line', (text) => link.send({ type: 'out', id, text }));
    createInterface({ input: child.stderr }).on('line', (text) => link.send({ type: 'err', id, text }));
    if (child.pid !== undefined) link.send({ type: 'started', id, pid: child.pid });
    const ended = (how: string) => {
      if (running.delete(id)) link.send({ type: 'ended', id, how });
    };
    child.once('error', (error) => ended(`could not be started (${error.message})`));
    child.once('close', (code, signal) =>
      ended(signal ? `was killed by ${signal}` : `ended with code ${code}`),
    );
  }

  link.onFrame((frame) => {
    const child = running.get(frame.id);
    if (frame.type === 'start') start(frame.id, frame.command, frame.args);
    // To one that has ended nothing is said: its ending is on the way.
    else if (child && frame.type === 'line') child.stdin!.write(`${frame.text}\n`);
    else if (child && frame.type === 'end') end(child, frame.graceMs);
  });
  const { node, scripts, cli, native } = ownInstallation;
  link.send({
    type: 'ready',
    version: packageVersion(),
    ...{ node, scripts, cli },
    native: dirname(native('dispatchbench-server')),
  });
  const { how } = await link.ended;
  await Promise.all(
    [...running.values()].map((child) => {
      const over = new Promise((resolve) => child.once('close', resolve));
      end(child, lastGraceMs);
      return over;
    }),
  );
  return how;
}

/** The same for the runner at the other end of this process' stdin and stdout; ends the process with it. */
export async function serveStdio(): Promise<never> {
  const link = streamLink<typeof starterRequest, StarterReport>(
    'the runner',
    starterRequest,
    process.stdin,
    process.stdout,
  );
  await serveStarter(link);
  process.exit(0);
}
