/** A Worker that holds idle connections and sends a load without end; its parent terminates it. */
import { parentPort, workerData } from 'node:worker_threads';
import { runLoad } from '../../src/load/engine.js';
import { holdIdle } from '../../src/load/idle.js';
import { loadOptions } from './programs.js';

const { port } = workerData as { port: number };
const target = { host: '127.0.0.1', port };
await holdIdle({ target, connections: 50, sources: null, connectTimeoutNs: 5e9 });
await runLoad(loadOptions(port, { windowNs: 600e9 }), {
  line({ event }) {
    if (event === 'window-start') parentPort!.postMessage('standing');
  },
});
