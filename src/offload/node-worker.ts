/** The worker of a provider in Node. */
import { parentPort } from 'node:worker_threads';
import { serveJobs } from './worker.js';

parentPort!.on(
  'message',
  serveJobs((message) => parentPort!.postMessage(message)),
);
