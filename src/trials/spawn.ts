/** What starting a command costs, alone: processes one after the other, on the server's CPUs, without server and load. */

import { z } from 'zod';
import { spawnResult } from '../contract/clients.js';
import { validated } from '../contract/validated.js';
import { spawnProgram } from '../programs/spawn.js';
import { ofProgram } from '../stage/limits.js';
import { answerMs } from '../stage/patience.js';
import { invalid } from './gates.js';
import { trialKind } from './kind.js';
import { throughput } from './served.js';

/** Longer than this takes none that is worth measuring, milliseconds. */
const slowestMs = 5000;

export interface SpawnTrial {
  kind: 'spawn';
  command: readonly string[];
  /** why the command is not there; left out: it is */
  missing?: string;
  warmups: number;
  spawns: number;
}

const spawnMeasurement = z.object({ kind: z.literal('spawn'), spawn: spawnResult });
type SpawnMeasurement = z.infer<typeof spawnMeasurement>;

export const spawn = trialKind({
  id: 'spawn',
  measurement: spawnMeasurement,
  connects: false,

  needs: ({ missing }: SpawnTrial) => ofProgram(missing, 2),

  async carryOut({ command, warmups, spawns }, stage, done) {
    const program = spawnProgram({ command, warmups, spawns, cpus: stage.pinning.server });
    const running = stage.start('server', 'the program that starts others', program);
    const line = await running.expect('spawned', (warmups + spawns) * slowestMs + answerMs);
    done('spawn', { kind: 'spawn', spawn: validated(spawnResult, line, 'what the program measured') });
  },

  gates: (name, { spawn: { bytesOut } }) =>
    bytesOut === 0 ? [invalid('no-output', `${name}: the command wrote nothing`)] : [],

  metrics: [
    {
      ...throughput,
      from: ['spawn'],
      // What a server that starts one for each request can answer at most with one thread.
      of: ({ spawn: { spawns, elapsedNs } }: SpawnMeasurement) => spawns / (elapsedNs / 1e9),
    },
    {
      id: 'spawn-cpu',
      title: 'CPU time of a process and its start',
      unit: 'ms',
      better: 'lower',
      digits: 2,
      meaning: '',
      from: ['spawn'],
      of: ({ spawn: { spawns, cpuUs } }: SpawnMeasurement) => cpuUs / spawns / 1000,
    },
  ],

  served: () => null,
  distributions: () => ({}),
  durationNs: ({ spawn: { elapsedNs } }) => elapsedNs,
});
