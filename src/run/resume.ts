/** Taking up a run again: only with the same plan, on the same machine, with the same programs. */
import { isDeepStrictEqual } from 'node:util';
import type { Plan, RunHost, RunInfo } from '../contract/run.js';
import type { PlanOptions } from './plan.js';

/** What of a host decides whether two measurements are the same. */
export type HostIdentifiers = Pick<RunHost, 'facts' | 'client' | 'versions' | 'addonDigest'>;

/** Every fact of a host that would make new trials another measurement than the old ones. */
function identity({ facts, client, versions, addonDigest }: HostIdentifiers) {
  const { clockStepNs: _, ...server } = facts;
  return { ...server, 'client host': client.name, ...versions, addon: addonDigest };
}

/** "its kernel was 'a' and is now 'b'", or null when new trials would be the same measurement. */
export function changedSince(
  before: RunInfo['hosts'],
  now: Readonly<Record<string, HostIdentifiers>>,
): string | null {
  for (const [name, host] of Object.entries(now)) {
    const known = before[name];
    if (!known) return `it has no host '${name}'`;
    const then = identity(known);
    for (const [what, value] of Object.entries(identity(host))) {
      const old = then[what as keyof typeof then];
      if (!isDeepStrictEqual(old, value)) return `its ${what} was '${old}' and is now '${value}'`;
    }
  }
  return null;
}

/** @throws Error naming what differs */
export function checkSameRun(before: RunInfo, now: RunInfo['hosts']): void {
  const changed = changedSince(before.hosts, now);
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
    hosts: options.hosts ?? old.hosts,
    divide: options.divide ?? old.divide,
    experiments: old.experiments.map((planned) => ({
      ...planned,
      profile: options.profile ?? planned.profile,
      settings: { ...planned.settings, ...options.settings },
    })),
  };
  for (const what of ['seed', 'blocks', 'precision', 'hosts', 'divide', 'experiments'] as const) {
    if (!isDeepStrictEqual(old[what], asked[what])) {
      throw new Error(
        `run ${before.id} cannot be resumed with another plan: its ${what} are not those asked for now; ` +
          'leave these options out, or start a new run',
      );
    }
  }
  return { ...old, budgetMs: options.budgetMs ?? file?.budgetMs ?? old.budgetMs };
}
