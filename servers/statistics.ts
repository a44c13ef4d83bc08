/** What a server counts about its own work, and the snapshot and farewell lines made of it (src/contract/server.ts). */
import { writeSync } from 'node:fs';
import type { Counters, DispatchFarewell, DispatchHello, DispatchSnapshot } from '../src/contract/server.js';
import { monotonicNs, processUsage } from '../src/process.js';
import { Collections } from './collections.js';

const BUCKETS = 17;

export class Statistics {
  /** HTTP: answered requests; echo: reads that brought bytes; UDP: datagrams answered */
  requests = 0;
  accepted = 0;
  closed = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** bad requests, and connections or senders turned away */
  rejected = 0;
  /** UDP: replies that the kernel did not take */
  unsent = 0;
  /** UDP: sockets bound */
  sockets = 0;
  readonly startedNs = monotonicNs();
  /** null where there is no poller of ours */
  eventsPerWait: Float64Array | null = null;
  readonly #collections = new Collections();

  get connections(): number {
    return this.sockets + this.accepted - this.closed;
  }

  /** Element i of the histogram counts waits that brought [2^(i-1), 2^i) events, element 0 those that brought none. */
  countWait(events: number): void {
    const bucket = 32 - Math.clz32(events);
    this.eventsPerWait![bucket < BUCKETS ? bucket : BUCKETS - 1]!++;
  }

  static forPoller(): Statistics {
    const statistics = new Statistics();
    statistics.eventsPerWait = new Float64Array(BUCKETS);
    return statistics;
  }

  #body(counters: Counters | null) {
    const usage = processUsage();
    return {
      monotonicNs: monotonicNs(),
      requests: this.requests,
      connections: this.connections,
      accepted: this.accepted,
      closed: this.closed,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      rejected: this.rejected,
      unsent: this.unsent,
      cpu: { userUs: usage.userUs, systemUs: usage.systemUs },
      contextSwitches: { voluntary: usage.voluntarySwitches, involuntary: usage.involuntarySwitches },
      rssBytes: usage.rssBytes,
      peakRssBytes: usage.peakRssBytes,
      counters,
      eventsPerWait: this.eventsPerWait === null ? null : Array.from(this.eventsPerWait),
      tree: null,
      collections: this.#collections.read(),
    };
  }

  snapshot(id: string, counters: Counters | null): DispatchSnapshot {
    return { event: 'snapshot', id, ...this.#body(counters) };
  }

  farewell(reason: DispatchFarewell['reason'], counters: Counters | null): DispatchFarewell {
    return { event: 'farewell', wallNs: monotonicNs() - this.startedNs, reason, ...this.#body(counters) };
  }
}

/** Prints a line of the contract, whole: the process may block or end right after. */
export function printLine(line: DispatchHello | DispatchSnapshot | DispatchFarewell): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EAGAIN') return; // nobody reads any more; the control channel ends the server
    }
  }
}
