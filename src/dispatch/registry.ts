/** Which backends this system has. There is no default and no fallback: a name is asked for, and had or not. */
import { type } from 'node:os';
import type { BackendName } from '../contract/common.js';
import type { BackendProbe } from '../contract/probe.js';
import { native } from './native.js';

export type { BackendProbe };

/** The mechanism this system was given for many descriptors, which libuv runs on; this build may have no backend for it. */
export const nodeBackend: BackendName = native.ownBackend(type());

/** What clients of ours wait on, named, because nothing chooses silently. It is not what is measured. */
export const clientBackend: BackendName = native.clientBackend();

/** Every backend the suite knows, each really created once to see whether this system has it. */
export function listBackends(): BackendProbe[] {
  return native.backends();
}

/** A backend this system does not have; `probe` says why. */
export class BackendUnavailableError extends Error {
  readonly code = 'ERR_BACKEND_UNAVAILABLE';
  constructor(readonly probe: BackendProbe) {
    super(`backend '${probe.name}' is not available here: ${probe.reason} (${probe.errno})`);
    this.name = 'BackendUnavailableError';
  }
}

/** @throws BackendUnavailableError */
export function requireBackend(name: BackendName): BackendProbe {
  const probe = listBackends().find((entry) => entry.name === name);
  if (!probe) throw new Error(`no backend is named '${name}': ask 'dispatchbench probe' for the names`);
  if (!probe.available) throw new BackendUnavailableError(probe);
  return probe;
}
