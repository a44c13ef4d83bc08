/** What every case of the dispatch suites gets: a poller of the backend under test, descriptors, and rows as objects. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { BackendName } from '../../src/contract/common.js';
import type { BackendProbe } from '../../src/contract/probe.js';
import { Event, Flag, type Interest, Poller } from '../../src/dispatch/poller.js';
import { listBackends } from '../../src/dispatch/registry.js';
import { Descriptors } from '../support/descriptors.js';

/** Long enough for anything loopback brings; only a failing test waits for it. */
export const SOON_US = 10_000_000;

export interface Row {
  fd: number;
  generation: number;
  flags: string[];
}

/** A poller whose registrations are named by their descriptors, as the cases speak of them. */
class DescriptorPoller extends Poller {
  readonly #slots = new Map<number, number>();

  #slotOf(fd: number): number {
    return this.#slots.get(fd) ?? -1;
  }
  override add(fd: number, interest: Interest): number {
    const slot = super.add(fd, interest);
    this.#slots.set(fd, slot);
    return slot;
  }
  override change(row: number, fd: number, wanted: Parameters<Poller['change']>[2]): void {
    super.change(row, this.#slotOf(fd), wanted);
  }
  override modify(fd: number, interest: Interest): number {
    return super.modify(this.#slotOf(fd), interest);
  }
  override rearm(fd: number): number {
    return super.rearm(this.#slotOf(fd));
  }
  override forget(fd: number): number {
    const generation = super.forget(this.#slotOf(fd));
    this.#slots.delete(fd);
    return generation;
  }
}

export class Bench extends Descriptors {
  readonly poller: Poller;
  constructor(
    readonly backend: BackendName,
    options: { maxEvents?: number; maxChanges?: number } = {},
  ) {
    super();
    this.poller = new DescriptorPoller({ backend, ...options });
  }

  /**
   * The poller's next rows, waiting at most `timeoutUs` for them. Waits again when it was interrupted, as the closing of a
   * ring of io_uring does once (by probing, or by the case before).
   */
  turn(timeoutUs: number, changes = 0): Row[] {
    let count = this.poller.turn(changes, timeoutUs);
    while (this.poller.interrupted) count = this.poller.turn(0, timeoutUs);
    return Array.from({ length: count }, (_, row) => this.row(row));
  }

  /** The rows that are there now. */
  look = (): Row[] => this.turn(0);
  /** The rows that come soon. */
  await = (): Row[] => this.turn(SOON_US);

  /**
   * What rows say of `fd` until each of `wanted` has been said: a peer's doings arrive when they arrive, and not
   * necessarily together. There must be no rows about others.
   */
  until(fd: number, ...wanted: string[]): Set<string> {
    const said = new Set<string>();
    for (;;) {
      const rows = this.await();
      assert.deepEqual(
        rows.map((row) => row.fd),
        [fd],
      );
      for (const flag of (rows[0] as Row).flags) said.add(flag);
      if (wanted.every((flag) => said.has(flag))) return said;
      this.poller.rearm(fd);
    }
  }

  row(index: number): Row {
    const words = this.poller.events.subarray(index * 4, index * 4 + 4);
    const bits = words[Event.flags] as number;
    return {
      fd: this.poller.descriptorOf(words[Event.slot] as number),
      generation: words[Event.generation] as number,
      flags: Object.entries(Flag)
        .filter(([, bit]) => (bits & bit) !== 0)
        .map(([name]) => name),
    };
  }

  /** Errno name of a call that throws, or null. */
  errno(call: () => unknown): string | null {
    try {
      call();
      return null;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  }

  #open = true;
  closePoller(): void {
    if (this.#open) this.poller.close();
    this.#open = false;
  }

  end(): void {
    this.closePoller();
    this.closeAll();
  }
}

export interface Case {
  name: string;
  /** which backends the case is about; all when left out */
  appliesTo?: (probe: BackendProbe) => boolean;
  maxEvents?: number;
  run: (bench: Bench, context: TestContext) => void | Promise<void>;
}

/** Runs every case on every backend of this system; backends it lacks are one skipped test each, with the reason. */
export function onEveryBackend(cases: Case[]): void {
  for (const probe of listBackends()) {
    if (!probe.available) {
      test(`${probe.name}`, { skip: probe.reason }, () => {});
      continue;
    }
    for (const { name, appliesTo, maxEvents, run } of cases) {
      if (appliesTo && !appliesTo(probe)) continue;
      test(`${probe.name}: ${name}`, async (context) => {
        const bench = new Bench(probe.name, maxEvents === undefined ? {} : { maxEvents });
        try {
          await run(bench, context);
        } finally {
          bench.end();
        }
      });
    }
  }
}
