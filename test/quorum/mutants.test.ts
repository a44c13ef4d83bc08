/** Every invariant notices a fault planted in the protocols: one rule broken at a time, schedules until one shows it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstViolation, withMutant } from './mutants.js';
import { pbftMutants } from './pbft-mutants.js';
import { raftMutants } from './raft-mutants.js';

/** Many times what each of them takes. */
const MOST_SCHEDULES = 4000;

for (const [protocol, mutants] of [
  ['raft', raftMutants],
  ['pbft', pbftMutants],
] as const)
  for (const mutant of mutants)
    test(`${protocol}: a member that ${mutant.name} is noticed`, () =>
      withMutant(mutant, ({ raftSchedule, pbftSchedule }) => {
        const run = protocol === 'raft' ? raftSchedule : pbftSchedule;
        const found = firstViolation(run, MOST_SCHEDULES, mutant.tryFirst);
        assert.ok(found, 'no schedule shows it');
        assert.ok(
          mutant.caughtBy.includes(found.invariant),
          `${found.invariant} of schedule ${found.schedule}`,
        );
      }));
