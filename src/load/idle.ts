/** Holds idle connections in this process. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { IdleStatus } from '../contract/idle.js';
import { clientBackend } from '../dispatch/registry.js';
import type { HostPort } from '../options.js';
import { requireDescriptors, sourceAddresses } from './limits.js';
import { connectFailure, native, resolveTarget } from './native.js';

export interface IdleOptions {
  target: HostPort;
  connections: number;
  /** source addresses; null: as many as the connections need */
  sources: string[] | null;
  connectTimeoutNs: number;
}

export interface IdleHold {
  status(): IdleStatus;
  /** Closes all. */
  end(): void;
}

/**
 * Opens the connections and resolves once all stand; what the server closes later is opened again.
 * @throws Error in one sentence when they cannot all stand
 */
export async function holdIdle(options: IdleOptions): Promise<IdleHold> {
  const { connections, connectTimeoutNs } = options;
  const address = await resolveTarget(options.target);
  requireDescriptors(connections);
  const handle = native().idleStart({
    ...address,
    backend: clientBackend,
    sources: options.sources ?? sourceAddresses(address.host, connections),
    connections,
    connectTimeoutNs,
  });
  const hold: IdleHold = {
    status() {
      const { phase, standing, reconnects, failures, unexpectedBytes, elapsedNs } =
        native().idleState(handle);
      const whole = phase === 'standing' ? elapsedNs : null;
      return { asked: connections, standing, reconnects, failures, unexpectedBytes, elapsedNs: whole };
    },
    end: () => native().idleStop(handle),
  };
  for (;;) {
    const state = native().idleState(handle);
    if (state.phase === 'standing') return hold;
    if (state.phase === 'failed') {
      hold.end();
      throw connectFailure(options.target, state, connections);
    }
    await sleep(5);
  }
}
