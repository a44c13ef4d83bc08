/** Runs one step of a ramp: our own session client, wherever it is started, or a real httperf on this machine. */
import { execFile } from 'node:child_process';
import type { Job } from '../contract/agent.js';
import { type SessionResult, type SessionSpec, sessionReady, sessionResult } from '../contract/ramp.js';
import { validated } from '../contract/validated.js';
import type { HostProcess } from '../hosts/host.js';
import type { Program } from '../hosts/program.js';
import { httperfCommand } from '../httperf/command.js';
import { parseHttperf } from '../httperf/parse.js';
import { monotonicNs } from '../process.js';
import { longestMs, sessionProgram } from '../programs/session.js';
import { threadsFor } from './split.js';

/** A step that is prepared and waits for its start. */
export interface Step {
  /** Resolves once it could start at once. */
  readonly ready: Promise<void>;
  /** Starts the first connection at this instant of CLOCK_MONOTONIC, nanoseconds; one that has passed means now. */
  start(atNs: number): void;
  /** @throws Error in one sentence when the client broke down or was stopped */
  readonly result: Promise<SessionResult>;
  stop(): Promise<void>;
}

const READY_MS = 10_000;
const GRACE_MS = 500;

/** Starts a program where the client is to run. */
export type Start = (name: string, program: Program) => HostProcess;

export interface StepOptions {
  /** httperf's own */
  httperf?: ReadonlyMap<string, string | null>;
  /** our client may use so many, one load thread on each; 1 when left out. httperf has one thread. */
  cores?: number;
}

export const prepareStep = (job: Job, start: Start, { httperf, cores = 1 }: StepOptions = {}): Step =>
  job.kind === 'session'
    ? prepareSession(job.spec, start, threadsFor(job.spec, cores))
    : prepareHttperf(job.spec, httperf);

export function prepareSession(spec: SessionSpec, start: Start, threads = 1): Step {
  const client = start('the session client', sessionProgram(spec, threads));
  const ready = client
    .expect('ready', READY_MS)
    .then((line) => void validated(sessionReady, line, client.name));
  const result = ready
    .then(() => client.expect('result', longestMs(spec)))
    .then((line) => validated(sessionResult, line, "the session client's result"))
    .finally(() => client.end(GRACE_MS));
  // Whoever awaits `ready` hears of the fault first; `result` repeats it.
  result.catch(() => {});
  return { ready, result, start: (atNs) => client.send(`start ${atNs}`), stop: () => client.end(GRACE_MS) };
}

function prepareHttperf(spec: SessionSpec, options?: ReadonlyMap<string, string | null>): Step {
  const { command, args } = httperfCommand(spec, options);
  const abort = new AbortController();
  let begin: (atNs: number) => void = () => {};
  const begun = new Promise<number>((resolve) => {
    begin = resolve;
  });
  const result = begun.then(async (atNs) => {
    // A process of its own starts some milliseconds late; httperf has no start signal.
    const waitMs = (atNs - monotonicNs()) / 1e6;
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    return new Promise<SessionResult>((resolve, reject) => {
      execFile(
        command,
        args,
        { maxBuffer: 1 << 24, timeout: longestMs(spec), signal: abort.signal },
        (error, stdout, stderr) => {
          const absent = (error as NodeJS.ErrnoException | null)?.code === 'ENOENT';
          if (absent || /failed to execute httperf/.test(stderr))
            return reject(new Error('httperf is not installed (Debian, Ubuntu: apt install httperf)'));
          try {
            resolve(parseHttperf(stdout));
          } catch (fault) {
            const words = stderr.trim().split('\n').at(-1);
            reject(new Error(`${(fault as Error).message}${words ? `; it said: ${words}` : ''}`));
          }
        },
      );
    });
  });
  result.catch(() => {});
  return {
    ready: Promise.resolve(),
    result,
    start: (atNs) => begin(atNs),
    stop: async () => abort.abort(),
  };
}
