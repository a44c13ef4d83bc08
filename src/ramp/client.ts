/** Runs one step of a ramp on this machine: our own session client, or a real httperf. */
import { execFile } from 'node:child_process';
import type { Job } from '../contract/agent.js';
import { type SessionResult, type SessionSpec, sessionReady, sessionResult } from '../contract/ramp.js';
import { Child } from '../hosts/child.js';
import { httperfCommand } from '../httperf/command.js';
import { parseHttperf } from '../httperf/parse.js';
import { sessionCommand } from '../programs/session.js';
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
/** setTimeout's longest delay. */
const LONGEST_MS = 2 ** 31 - 1;

export const monotonicNs = (): number => Number(process.hrtime.bigint());

export interface StepOptions {
  /** httperf's own */
  httperf?: ReadonlyMap<string, string | null>;
  /** our client may use so many, one load thread on each; 1 when left out. httperf has one thread. */
  cores?: number;
}

export const prepareStep = (job: Job, { httperf, cores = 1 }: StepOptions = {}): Step =>
  job.kind === 'session'
    ? prepareSession(job.spec, threadsFor(job.spec, cores))
    : prepareHttperf(job.spec, httperf);

/** Every call may wait its full timeout, one after the other. */
export function longestMs(spec: SessionSpec): number {
  return Math.min(
    LONGEST_MS,
    (spec.connections / spec.rate) * 2000 + spec.timeoutMs * (spec.calls + 1) + 60_000,
  );
}

function prepareSession(spec: SessionSpec, threads: number): Step {
  const child = new Child('the session client', sessionCommand(spec, threads));
  const ready = child.expect('ready', READY_MS).then((line) => void sessionReady.parse(line));
  const result = ready
    .then(() => child.expect('result', longestMs(spec)))
    .then((line) => sessionResult.parse(line))
    .finally(() => child.end(GRACE_MS));
  // Whoever awaits `ready` hears of the fault first; `result` repeats it.
  result.catch(() => {});
  return { ready, result, start: (atNs) => child.send(`start ${atNs}`), stop: () => child.end(GRACE_MS) };
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
