/** One trial of a test, carried out on this machine. */
import type { Roles } from '../../src/hosts/host.js';
import { openLocal } from '../../src/hosts/local.js';
import { onStage } from '../../src/stage/on-stage.js';
import { kindOf, type Measurement, type TrialSpec } from '../../src/trials/registry.js';

/** What a trial measures on a host, by name. */
export async function carriedOutOn(roles: Roles, spec: TrialSpec): Promise<Record<string, Measurement>> {
  const measurements: Record<string, Measurement> = {};
  await onStage({ roles, signal: new AbortController().signal }, (stage) =>
    kindOf(spec).carryOut(spec, stage, (name, one) => {
      measurements[name] = one;
    }),
  );
  return measurements;
}

/** The same on this machine. */
export async function carriedOut(spec: TrialSpec): Promise<Record<string, Measurement>> {
  const roles = await openLocal();
  try {
    return await carriedOutOn(roles, spec);
  } finally {
    await roles.close();
  }
}

export const circumstances = {
  pinning: { server: [0], client: [0], shared: true, siblings: false },
  host: { cpuAccounting: null },
};
