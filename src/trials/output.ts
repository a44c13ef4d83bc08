/** What a module makes of the same requests wherever it runs: which bytes it is there, and which ones it writes. No load. */

import { z } from 'zod';
import { ranLine } from '../contract/device.js';
import { validated } from '../contract/validated.js';
import { runModuleProgram } from '../programs/device.js';
import { ofProgram } from '../stage/limits.js';
import { interruptible } from '../stage/stage.js';
import { invalid } from './gates.js';
import { trialKind } from './kind.js';

/** An engine may be emulated, on a busy machine. */
const longestMs = 120_000;

export interface OutputTrial {
  kind: 'output';
  /** of a runtime that runs the module once */
  command: readonly string[];
  /** the module that is in the command, by its path there */
  module: string;
  /** why the command is not there; left out: it is */
  missing?: string;
  input: string;
}

const outputMeasurement = z.object({ kind: z.literal('output'), ran: ranLine.omit({ event: true }) });
type OutputMeasurement = z.infer<typeof outputMeasurement>;

/** As many digits of a digest as a number has for sure. */
const fingerprint = (sha256: string): number => Number.parseInt(sha256.slice(0, 12), 16);

export const output = trialKind({
  id: 'output',
  measurement: outputMeasurement,
  connects: false,

  needs: ({ missing }: OutputTrial) => ofProgram(missing, 3, true),

  async carryOut({ command, module, input }, stage, done) {
    const program = runModuleProgram(module, input, command);
    const running = stage.start('server', 'the program that runs a module', program);
    const line = await interruptible(stage.signal, running.expect('ran', longestMs));
    const { event: _, ...ran } = validated(ranLine, line, 'what the program says of the module');
    done('output', { kind: 'output', ran });
  },

  gates: (name, { ran }) =>
    ran.output.bytes === 0 ? [invalid('no-output', `${name}: the module wrote nothing`)] : [],

  metrics: [
    {
      id: 'module-fingerprint',
      title: 'Fingerprint of the module',
      unit: '',
      better: 'neither',
      digits: 0,
      meaning: 'The first 12 digits of the SHA-256 of the bytes that ran, as a number: equal where they are.',
      from: ['output'],
      of: ({ ran: { module } }: OutputMeasurement) => fingerprint(module.sha256),
    },
    {
      id: 'output-fingerprint',
      title: 'Fingerprint of the output',
      unit: '',
      better: 'neither',
      digits: 0,
      meaning: 'The same of what it wrote.',
      from: ['output'],
      of: ({ ran: { output: written } }: OutputMeasurement) => fingerprint(written.sha256),
    },
    {
      id: 'module-run',
      title: 'Time of one run, the start of its engine included',
      unit: 'ms',
      better: 'lower',
      digits: 1,
      meaning: 'A process of its own for the run, as a command line would have it.',
      from: ['output'],
      of: ({ ran: { elapsedNs } }: OutputMeasurement) => elapsedNs / 1e6,
    },
  ],

  served: () => null,
  distributions: () => ({}),
  durationNs: ({ ran: { elapsedNs } }) => elapsedNs,
});
