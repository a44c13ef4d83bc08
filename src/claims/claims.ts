/** Every published claim the suite puts to the test. */
import type { Claim } from './claim.js';
import { dispatchClaims } from './dispatch.js';
import { gatewayClaims } from './gateways.js';
import { memoryClaims } from './memory.js';
import { plannerClaims } from './planner.js';
import { quorumClaims } from './quorum.js';
import { streamClaims } from './streams.js';
import { wasmClaims } from './wasm.js';

export const claims: readonly Claim[] = [
  ...dispatchClaims,
  ...gatewayClaims,
  ...wasmClaims,
  ...streamClaims,
  ...memoryClaims,
  ...plannerClaims,
  ...quorumClaims,
];
