/** Small trials of groups, to be changed by those who use them. */
import type { GroupSpec } from '../../src/stage/group.js';
import type { QuorumTrial } from '../../src/trials/quorum.js';

export const raft: GroupSpec = {
  system: 'raft',
  backend: 'epoll',
  replicas: 3,
  fsync: true,
  seal: 'none',
  batch: 10,
  fault: null,
  faulty: 0,
};

export const pbft: GroupSpec = {
  ...raft,
  system: 'pbft',
  replicas: 4,
  fsync: false,
  seal: 'hmac',
  patienceMs: 200,
};

export const usual = {
  kind: 'quorum',
  ...{ clients: 4, valueBytes: 100, readShare: 0.3, warmupMs: 0, durationMs: 300, kills: 0 },
} as const satisfies Partial<QuorumTrial>;
