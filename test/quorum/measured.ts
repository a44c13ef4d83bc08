/** Trials of real groups on this machine, short ones. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Roles } from '../../src/hosts/host.js';
import { openLocal } from '../../src/hosts/local.js';
import { onStage } from '../../src/stage/on-stage.js';
import type { Stage } from '../../src/stage/stage.js';
import { carriedOut, type QuorumTrial } from '../../src/trials/quorum.js';
import { raft, usual } from './trials.js';

let roles: Roles;
before(async () => {
  roles = await openLocal();
});
after(() => roles.close());

export const staged = <T>(work: (stage: Stage) => Promise<T>) =>
  onStage({ roles, signal: new AbortController().signal }, work);

/** A trial that differs from a short one of Raft in this. */
export const measured = (more: Partial<QuorumTrial>) =>
  staged((stage) => carriedOut({ ...raft, ...usual, ...more }, stage));

export type Measured = Awaited<ReturnType<typeof measured>>;

/** What clients saw is explained, and what was acknowledged is there. */
export function explained({ quorum: { history, lost, writes } }: Measured): void {
  assert.deepEqual({ lost, fault: history?.fault }, { lost: 0, fault: '' });
  assert.ok(writes > 0);
}
