/** The hosts of a run: each is opened as the run begins; one that cannot be had is noted, and the others are measured. */
import { type WantedHost, wantedName } from '../contract/hosts-file.js';
import type { AbsentHost, RunEvent } from '../contract/run.js';
import type { Roles } from '../hosts/host.js';

export class RunHosts {
  readonly opened: Roles[] = [];
  readonly absent: AbsentHost[] = [];

  /**
   * One after the other, because a host that boots takes the machine's time.
   * @throws Error in one sentence when none can be had; the signal's reason once it was aborted
   */
  async open(
    wanted: readonly WantedHost[],
    opener: (one: WantedHost) => Promise<Roles>,
    on: (event: RunEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    for (const one of wanted) {
      signal.throwIfAborted();
      const host = wantedName(one);
      const began = performance.now();
      const tell = (state: 'opening' | 'up' | 'absent', reason: string | null) =>
        on({ event: 'host', host, state, reason, elapsedMs: performance.now() - began });
      tell('opening', null);
      try {
        this.opened.push(await opener(one));
        tell('up', null);
      } catch (error) {
        const reason = (error as Error).message.replace(/^not available here: /, '');
        this.absent.push({ host, reason });
        tell('absent', reason);
        if (wanted.length === 1) throw error;
      }
    }
    if (this.opened.length === 0)
      throw new Error(
        `none of the hosts is available here: ${this.absent.map(({ host, reason }) => `${host}: ${reason}`).join('; ')}`,
      );
  }

  /** All of them, whatever closing one of them comes to. @throws the first failure, when all have been closed */
  async close(): Promise<void> {
    const endings = await Promise.allSettled(this.opened.splice(0).map((roles) => roles.close()));
    const failed = endings.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
  }
}
