/** Taking up a run again: only with the same plan, on the same machine, with the same programs. */
import { isDeepStrictEqual } from 'node:util';
import type { Plan, RunInfo } from '../contract/run.js';
import type { PlanOptions } from './plan.js';

/** Every fact of the run that would make new trials another measurement than the old ones. */
function identity({ host, versions, addonDigest }: Pick<RunInfo, 'host' | 'versions' | 'addonDigest'>) {
  const { clockStepNs: _, ...machine } = host;
  return { ...machine, ...versions, addon: addonDigest };
}

type Taken = Pick<RunInfo, 'host' | 'versions' | 'addonDigest'>;

/** "its kernel was 'a' and is now 'b'", or null when new trials would be the same measurement. */
export function changedSince(before: RunInfo, now: Taken): string | null {
  const then = identity(before);
  for (const [what, value] of Object.entries(identity(now))) {
    const old = then[what as keyof typeof then];
    if (!isDeepStrictEqual(old, value)) return `its ${what} was '${old}' and is now '${value}'`;
  }
  return null;
}

/** @throws Error naming what differs */
export function checkSameRun(before: RunInfo, now: Taken): void {
  const changed = changedSince(before, now);
  if (changed) throw new Error(`run ${before.id} cannot be resumed: ${changed}; start a new run`);
}

/**
 * The plan to go on with: the old one, with the budget asked now. The budget says how long to go on, not what is
 * measured; anything else that is asked must be what the run already does.
 * @param file a plan given beside the run
 * @throws Error naming what differs
 */
export function resumedPlan(before: RunInfo, file: Plan | null, options: PlanOptions): Plan {
  const old = before.plan;
  const asked = file ?? {
    ...old,
    seed: options.seed ?? old.seed,
    experiments: old.experiments.map((planned) => ({
      ...planned,
      profile: options.profile ?? planned.profile,
      settings: { ...planned.settings, ...options.settings },
    })),
  };
  for (const what of ['seed', 'blocks', 'precision', 'experiments'] as const) {
    if (!isDeepStrictEqual(old[what], asked[what])) {
      throw new Error(
        `run ${before.id} cannot be resumed with another plan: its ${what} are not those asked for now; ` +
          'leave these options out, or start a new run',
      );
    }
  }
  return { ...old, budgetMs: options.budgetMs ?? file?.budgetMs ?? old.budgetMs };
}
