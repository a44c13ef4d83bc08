/** Verdicts on published claims from the cells of a run. */
import type { Claim, TestedClaim } from '../claims/claim.js';
import { claims } from '../claims/claims.js';
import type { Cell } from './cells.js';
import { runTest } from './claim-tests.js';
import { tableEvidence } from './claim-tests-along.js';
import type { Evidence } from './evidence.js';
import { autobench2012 } from './reference/autobench-2012.js';

export type VerdictName = 'supported' | 'contradicted' | 'inconclusive' | 'not tested';

export interface Verdict {
  claim: Claim;
  verdict: VerdictName;
  evidence: Evidence[];
  /** which cells are missing, of all or of some tests; of a planned claim, what will supply them */
  missing: string | null;
  /** what the source's own published table says about its claim */
  reference: { testbed: string; evidence: Evidence[]; verdict: VerdictName } | null;
}

/** T2 can be held against the thesis's one table as well as against a run. */
function onReference(claim: TestedClaim): Verdict['reference'] {
  const [test] = claim.tests;
  if (test?.kind !== 'knee') return null;
  const evidence = tableEvidence(
    test,
    'table 4.9, epoll',
    autobench2012.map(({ offered, replies }) => ({ x: offered, y: replies.avg })),
  );
  return { testbed: 'Linux 2.6.32 guest on VMware ESX, 2012', evidence, verdict: combine(evidence, true) };
}

/** One contradiction contradicts; support needs every row, and every test of the claim, to agree. */
function combine(all: readonly Evidence[], complete: boolean): VerdictName {
  const evidence = all.filter(({ beside }) => !beside);
  if (evidence.length === 0) return 'not tested';
  if (evidence.some(({ outcome }) => outcome === 'contradicted')) return 'contradicted';
  return complete && evidence.every(({ outcome }) => outcome === 'supported') ? 'supported' : 'inconclusive';
}

export function verdictOf(claim: Claim, all: readonly Cell[]): Verdict {
  if ('planned' in claim) {
    const missing = `planned: ${claim.planned}`;
    return { claim, verdict: 'not tested', evidence: [], missing, reference: null };
  }
  const reference = onReference(claim);
  const named = claim.tests.map(({ experiment = claim.experiment }) => experiment);
  const cells = all.filter(({ experiment }) => (named as string[]).includes(experiment));
  if (cells.every(({ trials }) => trials.length === 0)) {
    const missing = `${claim.experiment}: ${claim.cells}`;
    return { claim, verdict: 'not tested', evidence: [], missing, reference };
  }
  const results = claim.tests.map((test, i) => {
    const own = cells.filter(({ experiment }) => experiment === named[i]);
    const { evidence: rows, missing: absent } = runTest(test, own);
    return {
      evidence: test.experiment ? rows.map((row) => ({ ...row, experiment: named[i]! })) : rows,
      missing: absent && test.experiment ? `${named[i]}: ${absent}` : absent,
    };
  });
  const needed = results.filter((_, i) => !claim.tests[i]!.whereMeasured);
  const lacking = [...new Set(needed.flatMap((result) => result.missing ?? []))];
  if (claim.whole && lacking.length > 0)
    return { claim, verdict: 'not tested', evidence: [], missing: lacking.join('; '), reference };
  const undecided = needed.find(
    ({ evidence }) => evidence.length > 0 && evidence.every(({ beside }) => beside),
  );
  const missing =
    needed.find((result) => result.missing !== null)?.missing ??
    (undecided ? `${claim.cells}; what was measured stands beside and decides nothing` : null);
  const evidence = results.flatMap((result) => result.evidence);
  if (missing !== null && evidence.length === 0 && claim.elsewhere !== undefined)
    return { claim, verdict: 'not tested', evidence, missing: `${missing} (${claim.elsewhere})`, reference };
  return { claim, verdict: combine(evidence, missing === null), evidence, missing, reference };
}

export function verdicts(cells: readonly Cell[]): Verdict[] {
  return claims.map((claim) => verdictOf(claim, cells));
}
