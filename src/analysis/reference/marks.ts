/** Published figures that fit a cell of ours: drawn as grey marks beside it, never used in a verdict of a run. */
import { citedWork } from '../../claims/bibliography.js';
import type { CellLevels } from '../../contract/sample.js';
import type { MetricId } from '../../trials/registry.js';
import {
  asZstd,
  memoryTestbed,
  type PublishedCodec,
  type PublishedPages,
  ratioOf,
  savedByCodec,
} from './memory-2025.js';
import { plausibilityNames } from './published.js';

export interface ReferenceMark {
  /** with what the figure can be */
  name: string;
  testbed: string;
  experiment: string;
  metric: MetricId;
  /** levels that a cell of ours must have for it to stand beside */
  levels: CellLevels;
  y: number;
}

/** The columns of ours that each of the published ones is beside: those of a codec alone, and memory that travels by it. */
const beside: readonly { codec: PublishedCodec; impl: string; experiment: string; asZstd?: true }[] = [
  { codec: 'gzip', impl: 'gzip-9', experiment: 'memory-codecs' },
  { codec: 'lz4', impl: 'lz4-1', experiment: 'memory-codecs' },
  { codec: 'snappy', impl: 'snappy', experiment: 'memory-codecs' },
  { codec: 'snappy', impl: 'zstd-1', experiment: 'memory-codecs', asZstd: true },
  { codec: 'lz4', impl: 'lz4', experiment: 'memory' },
  { codec: 'snappy', impl: 'zstd', experiment: 'memory', asZstd: true },
];

export const referenceMarks: readonly ReferenceMark[] = Object.entries(savedByCodec).flatMap(
  ([pages, saved]) =>
    beside.map(({ codec, impl, experiment, ...one }): ReferenceMark => {
      const can = plausibilityNames[one.asZstd ? asZstd.plausibility : 'real'];
      return {
        name: `${citedWork('dwcp-results')}, ${pages}: ${can}`,
        testbed: memoryTestbed,
        experiment,
        metric: experiment === 'memory' ? 'migrate-ratio' : 'codec-ratio',
        levels: { impl, pages: pages as PublishedPages },
        y: ratioOf(saved[codec]),
      };
    }),
);
