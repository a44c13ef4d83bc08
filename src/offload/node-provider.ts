/** A provider in Node: worker threads instead of a page's workers, all else the same. */
import { Worker } from 'node:worker_threads';
import WebSocket from 'ws';
import { type HostPort, targetText } from '../options.js';
import { Connection, type SocketLike, type Told } from './connection.js';
import type { Means } from './pool.js';
import { type About, providerPath } from './session.js';

/** JavaScript of one worker, MiB: what the shim holds for a module. Linear memory is not part of it. */
const workerHeapMiB = 256;

/** @param token of the broker */
export const nodeMeans = (broker: HostPort, token: string): Means => ({
  startWorker(message, gone) {
    const worker = new Worker(new URL('node-worker.js', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: workerHeapMiB },
      stdin: false,
    });
    worker.on('message', message);
    worker.on('error', (error) => gone(`the worker failed: ${error.message}`));
    worker.on('exit', () => gone('the worker ended'));
    worker.unref();
    return { post: (job) => worker.postMessage(job), end: () => void worker.terminate() };
  },

  async content(digest) {
    const response = await fetch(`http://${targetText(broker)}/content/${digest}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (!response.ok) throw new Error(`the broker says ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  },
});

export const nodeProvider = (broker: HostPort, about: About, told: Told): Connection =>
  new Connection(
    () =>
      new WebSocket(`ws://${targetText(broker)}${providerPath}`, {
        perMessageDeflate: false,
      }) as unknown as SocketLike,
    nodeMeans(broker, about.token),
    about,
    told,
  );
