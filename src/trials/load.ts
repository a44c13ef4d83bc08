/**
 * Standing connections under load: idle ones are opened and stand silent, then each window drives active ones, closed
 * loop or by a schedule, while the server is asked for its counters where the window begins and ends. Alone, in processes
 * of its own, or in rotation with others that stand at the same time.
 */

import { loadProgram } from '../programs/load.js';
import { drive } from '../stage/drive.js';
import { ofSubject } from '../stage/limits.js';
import { trialKind } from './kind.js';
import { loadGates, loadServed } from './load-gates.js';
import {
  asAsked,
  type Drive,
  type LoadMeasurement,
  type LoadTrial,
  loadMeasurement,
  measure,
  stand,
} from './load-window.js';
import { rotate } from './rotation.js';
import { loadMetrics, servedMetrics, workerMetrics } from './served.js';

export const load = trialKind({
  id: 'load',
  measurement: loadMeasurement,
  connects: true,

  needs({ subject, processes, idle, windows }: LoadTrial) {
    const active = Math.max(0, ...windows.map(({ connections }) => connections));
    return {
      ...ofSubject(subject),
      perProcess: Math.ceil((idle + active) / processes),
      what: 'connections',
      connections: idle + active,
      active,
    };
  },

  async carryOut(spec, stage, done) {
    const standing = await stand(spec, stage);
    if (standing.holders) await stage.settle();
    await stage.watchNetwork();
    for (const window of spec.windows) {
      const name = `client of window '${window.name}'`;
      const driven: Drive = (servers, loads, asked) =>
        drive(stage, servers, { ...asked, name, clients: loads.map(loadProgram) });
      done(window.name, await measure(spec, stage, standing, window, driven));
    }
  },

  together: {
    key: ({ rounds = 0, processes }) => (rounds > 0 && processes === 1 ? `${rounds}` : null),
    carryOut: rotate,
  },

  gates: loadGates,

  metrics: [
    ...loadMetrics(({ load: figures }: LoadMeasurement) => figures, asAsked),
    ...servedMetrics(
      ({ load: { replies, client } }: LoadMeasurement) => ({ replies, busyShare: client.busyShare }),
      asAsked,
    ),
    ...workerMetrics<LoadMeasurement>(),
  ],

  served: loadServed,
  distributions: ({ load: { latency, latencyUncorrected, sendLag, connect } }) => ({
    latency,
    latencyUncorrected,
    sendLag,
    connect,
  }),
  durationNs: ({ load: { windowNs } }) => windowNs,
});
