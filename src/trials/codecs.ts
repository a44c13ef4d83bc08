/** What every codec makes of one page set: a program compresses it, and takes it apart again. No server, no load. */

import { z } from 'zod';
import { codecsLine, type PageSet } from '../contract/migrate.js';
import { validated } from '../contract/validated.js';
import { monotonicNs } from '../process.js';
import { codecsProgram } from '../programs/migrate.js';
import { ofProgram } from '../stage/limits.js';
import { interruptible } from '../stage/stage.js';
import { invalid } from './gates.js';
import { trialKind } from './kind.js';

/** Longer than this takes no codec for a set that is worth comparing, milliseconds. */
const slowestMs = 120_000;

export interface CodecsTrial {
  kind: 'codecs';
  pages: PageSet;
  bytes: number;
  seed: number;
  /** which of the columns it is about */
  codec: string;
  level: number;
  /** bytes that are compressed at once */
  piece: number;
}

const column = codecsLine.shape.columns.element.required({
  packed: true,
  packNs: true,
  unpackNs: true,
  exact: true,
});
const codecsMeasurement = z.object({
  kind: z.literal('codecs'),
  /** of memory */
  bytes: z.number().positive(),
  column,
  elapsedNs: z.number().nonnegative(),
});
type CodecsMeasurement = z.infer<typeof codecsMeasurement>;

const rate = (bytes: number, ns: number): number => bytes / 1e6 / (Math.max(1, ns) / 1e9);

export const codecs = trialKind({
  id: 'codecs',
  measurement: codecsMeasurement,
  connects: false,

  needs: (_: CodecsTrial) => ofProgram(undefined),

  async carryOut({ pages, bytes, seed, codec, level, piece }, stage, done) {
    const startedNs = monotonicNs();
    const program = codecsProgram({ pages, bytes, seed }, undefined, codec);
    const running = stage.start('server', 'the program that compresses', program);
    const line = await interruptible(stage.signal, running.expect('codecs', slowestMs));
    const { columns, bytes: memory } = validated(codecsLine, line, 'what the codecs came to');
    const found = columns.find((one) => one.codec === codec && one.level === level && one.piece === piece);
    if (!found) throw new Error(`there is no column ${codec} of level ${level}`);
    if (found.missing !== undefined) throw new Error(`${codec} is not available here: ${found.missing}`);
    done('column', {
      kind: 'codecs',
      bytes: memory,
      column: column.parse(found),
      elapsedNs: monotonicNs() - startedNs,
    });
  },

  gates: (name, { column: { exact, codec } }) =>
    exact ? [] : [invalid('inexact', `${name}: what came out of ${codec} is not what went in`)],

  metrics: [
    {
      id: 'codec-ratio',
      title: 'Bytes of memory over bytes compressed',
      unit: '',
      better: 'higher',
      digits: 2,
      meaning: '',
      from: ['column'],
      of: ({ bytes, column: { packed } }: CodecsMeasurement) => bytes / packed,
    },
    {
      id: 'codec-pack-rate',
      title: 'Rate of compression',
      unit: 'MB/s',
      better: 'higher',
      digits: 0,
      meaning: 'Bytes of memory by CPU time of one thread.',
      from: ['column'],
      of: ({ bytes, column: { packNs } }: CodecsMeasurement) => rate(bytes, packNs),
    },
    {
      id: 'codec-unpack-rate',
      title: 'Rate of decompression',
      unit: 'MB/s',
      better: 'higher',
      digits: 0,
      meaning: 'Bytes of memory that come out, not of those that go in, by CPU time of one thread.',
      from: ['column'],
      of: ({ bytes, column: { unpackNs } }: CodecsMeasurement) => rate(bytes, unpackNs),
    },
  ],

  served: () => null,
  distributions: () => ({}),
  durationNs: ({ elapsedNs }) => elapsedNs,
});
