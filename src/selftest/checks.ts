/** All checks of the self-test, in the order they are made. */
import type { Check } from './check.js';
import { comparisons } from './comparisons.js';
import { constantDelay, loss, pacing, resolution, slowAccept, stall } from './http-checks.js';
import { twoClients } from './two-clients.js';
import { datagrams } from './udp-checks.js';

export const checks: readonly Check[] = [
  resolution,
  constantDelay,
  stall,
  loss,
  slowAccept,
  datagrams,
  pacing,
  twoClients,
  comparisons,
];
