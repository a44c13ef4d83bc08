/** The sample as a whole: its envelope and the measurements of all kinds of trials. */
import { z } from 'zod';
import { envelope, identifier } from '../contract/sample.js';
import { type Measurement, type MeasurementOf, measurement } from './registry.js';

// Named types, because what is inferred is written out in full wherever it is declared.
export interface Sample extends z.infer<typeof envelope> {
  /** by name: `closed` (peak), `open` (latency at a common rate), ... */
  measurements: Record<string, Measurement>;
}
export const sample: z.ZodType<Sample> = envelope.extend({
  measurements: z.record(identifier, measurement),
});

/** The measurement of that name, if the sample has it in that kind. */
export function measured<Kind extends Measurement['kind']>(
  { measurements }: Pick<Sample, 'measurements'>,
  name: string,
  kind: Kind,
): MeasurementOf<Kind> | null {
  const found = measurements[name];
  return found?.kind === kind ? (found as MeasurementOf<Kind>) : null;
}

/** All measurements of that kind, by name. */
export function measuredAs<Kind extends Measurement['kind']>(
  { measurements }: Pick<Sample, 'measurements'>,
  kind: Kind,
): [string, MeasurementOf<Kind>][] {
  return Object.entries(measurements).filter(([, one]) => one.kind === kind) as [
    string,
    MeasurementOf<Kind>,
  ][];
}
