/** What runs in a worker, of Node or of a page: jobs come in, outcomes go out. */
import { type Job, type Ran, runModule } from './sandbox.js';

/** A module is sent once to each worker, and known there by its key. */
export interface ToWorker extends Job {
  number: number;
  key: string;
  module?: WebAssembly.Module;
}

export interface FromWorker extends Ran {
  number: number;
}

/** Modules that a worker keeps: whoever sends them counts on the same number. */
export const mostModules = 16;

/** @returns what takes the messages of a worker */
export function serveJobs(reply: (message: FromWorker) => void): (message: ToWorker) => void {
  const modules = new Map<string, WebAssembly.Module>();
  return ({ number, key, module: sent, ...job }) => {
    const module = sent ?? modules.get(key)!;
    if (sent) {
      modules.set(key, sent);
      if (modules.size > mostModules) modules.delete([...modules.keys()][0]!);
    }
    reply({ number, ...runModule(module, job) });
  };
}
