/** One trial of a test, carried out on this machine. */
import { openLocal } from '../../src/hosts/local.js';
import { onStage } from '../../src/stage/on-stage.js';
import { kindOf, type Measurement, type TrialSpec } from '../../src/trials/registry.js';

/** What a trial measures on this machine, by name. */
export async function carriedOut(spec: TrialSpec): Promise<Record<string, Measurement>> {
  const roles = await openLocal();
  try {
    const measurements: Record<string, Measurement> = {};
    await onStage({ roles, signal: new AbortController().signal }, (stage) =>
      kindOf(spec).carryOut(spec, stage, (name, one) => {
        measurements[name] = one;
      }),
    );
    return measurements;
  } finally {
    await roles.close();
  }
}

export const circumstances = {
  pinning: { server: [0], client: [0], shared: true, siblings: false },
  host: { cpuAccounting: null },
};
