/** Every published claim the suite puts to the test. */
import type { Claim } from './claim.js';
import { dispatchClaims } from './dispatch.js';
import { dwcpClaims } from './dwcp.js';
import { gatewayClaims } from './gateways.js';
import { memoryClaims } from './memory.js';
import { plannerClaims } from './planner.js';
import { wasmClaims } from './wasm.js';

export const claims: readonly Claim[] = [
  ...dispatchClaims,
  ...gatewayClaims,
  ...wasmClaims,
  ...dwcpClaims,
  ...memoryClaims,
  ...plannerClaims,
];
