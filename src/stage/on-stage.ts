/** A stage for one piece of work: whatever was started on it has ended afterwards, however the work ended. */
import type { Pinning } from '../contract/sample.js';
import type { Roles } from '../hosts/host.js';
import { places } from './places.js';
import { interruptible, Stage } from './stage.js';

/** Hosts that have been opened, for as long as nobody interrupts. */
export interface Site {
  roles: Roles;
  /** aborted: what is under way is given up */
  signal: AbortSignal;
  /** CPUs of server and client; left out: the usual ones of these hosts */
  pinning?: Pinning;
}

/** @throws the signal's reason when it was aborted, else what `work` throws */
export async function onStage<T>(
  { roles, signal, pinning = places(roles.server.look, roles.client.look, roles.pin) }: Site,
  work: (stage: Stage) => Promise<T>,
): Promise<T> {
  const stage = new Stage(roles, pinning, signal);
  try {
    return await interruptible(signal, work(stage));
  } finally {
    await stage.endAll();
  }
}
