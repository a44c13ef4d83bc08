/** What runs in a worker, of Node or of a page: jobs come in, outcomes go out. */
import { type Job, type Ran, runModule } from './sandbox.js';

/** A module is sent once to each worker, and known there by its key. */
export interface ToWorker extends Job {
  number: number;
  key: string;
  module?: WebAssembly.Module;
}

export interface Ended extends Ran {
  number: number;
}

/** What a job wrote to stderr, told at once: who has to end a worker can no longer ask it. */
export interface Heard {
  number: number;
  stderr: Uint8Array;
}

export type FromWorker = Ended | Heard;

/** Modules that a worker keeps: whoever sends them counts on the same number. */
export const mostModules = 16;
/** Of each job; a flood of words would keep those busy who read them. */
const mostHeard = { writes: 256, bytes: 16_384 };

/** @returns what takes the messages of a worker */
export function serveJobs(reply: (message: FromWorker) => void): (message: ToWorker) => void {
  const modules = new Map<string, WebAssembly.Module>();
  return ({ number, key, module: sent, ...job }) => {
    const module = sent ?? modules.get(key)!;
    if (sent) {
      modules.set(key, sent);
      if (modules.size > mostModules) modules.delete([...modules.keys()][0]!);
    }
    const left = { ...mostHeard };
    const heard = (stderr: Uint8Array) => {
      left.bytes -= stderr.length;
      if (left.writes-- > 0 && left.bytes >= 0) reply({ number, stderr });
    };
    reply({ number, ...runModule(module, job, heard) });
  };
}
