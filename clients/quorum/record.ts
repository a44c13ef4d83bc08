/** What sessions asked and were told: figures of the window, and the history that is checked at the end. */
import type { QuorumResult, QuorumSteps } from '../../src/contract/quorum.js';
import { emptyHistogram, latencyOfHistogram } from '../../src/load/histogram.js';
import { type Called, checkHistory } from '../../src/quorum/linearizable.js';
import type { Operation } from '../../src/quorum/machine.js';
import type { Answer } from './session.js';

/** A value is its name and padding behind a colon; the history has the name alone. */
const nameOf = (value: string): string => value.slice(0, value.indexOf(':') + 1);
export const paddedValue = (name: string, bytes: number): string => `${name}:`.padEnd(bytes, 'x');

/** Of a key that one session alone writes: the numbers of its values ascend. */
const numberOf = (name: string): number => Number(name.slice(name.indexOf('.') + 1, -1));

export class Recorder {
  /** the window is open */
  counts = false;
  writes = 0;
  reads = 0;
  repeated = 0;
  /** acknowledged writes that were not found again */
  lost = 0;
  readonly #latency = emptyHistogram();
  readonly #sums = { wire: 0, wake: 0, crypto: 0, fsync: 0 };
  #traced = 0;
  #tracedNs = 0;
  readonly #history: Called[] = [];
  readonly #acknowledged = new Map<string, number>();
  /** names of writes that may yet be carried out, whenever */
  readonly #uncertain = new Set<string>();

  asked(operation: Operation, called: number, returned: number, { reply, spent, repeated }: Answer): void {
    const unknown = reply === null;
    this.#history.push({
      operation: operation.kind === 'put' ? { ...operation, value: nameOf(operation.value) } : operation,
      called,
      returned: unknown ? Number.POSITIVE_INFINITY : returned,
      reply: operation.kind === 'get' ? nameOf(reply ?? '') : (reply ?? ''),
    });
    if (!unknown && operation.kind === 'put' && operation.key.startsWith('own'))
      this.#acknowledged.set(operation.key, numberOf(nameOf(operation.value)));
    if (unknown && operation.kind === 'put') this.#uncertain.add(nameOf(operation.value));
    if (!this.counts) return;
    this.repeated += repeated;
    if (unknown) return;
    if (operation.kind === 'get') {
      this.reads++;
      return;
    }
    this.writes++;
    this.#latency.recordValue(Math.max(1, Math.round(returned - called)));
    if (spent === null) return;
    this.#traced++;
    this.#tracedNs += returned - called;
    for (const part of ['wire', 'wake', 'crypto', 'fsync'] as const) this.#sums[part] += spent[part];
  }

  /** Keys that were written, to be read at the end. */
  keys(): string[] {
    return [...new Set(this.#history.map(({ operation }) => operation.key))];
  }

  /** What a read at the end found. */
  found(key: string, value: string): void {
    const acknowledged = this.#acknowledged.get(key);
    if (acknowledged === undefined || this.#uncertain.has(nameOf(value))) return;
    if (!(numberOf(nameOf(value)) >= acknowledged)) this.lost++;
  }

  #steps(): QuorumSteps | null {
    if (this.#traced === 0) return null;
    const mean = (us: number) => us / 1000 / this.#traced;
    const { wire, wake, crypto, fsync } = this.#sums;
    const total = mean(this.#tracedNs / 1000);
    const parts = { wire: mean(wire), wake: mean(wake), crypto: mean(crypto), fsync: mean(fsync) };
    return { ...parts, rest: total - mean(wire + wake + crypto + fsync), total };
  }

  result(system: QuorumResult['system'], elapsedNs: number, kills: QuorumResult['kills']): QuorumResult {
    const verdict = checkHistory(this.#history);
    const fault = verdict.linearizable
      ? ''
      : `of ${verdict.history.length} operations of '${verdict.key}' at most ${verdict.explained} can be put in order`;
    return {
      event: 'result',
      system,
      writes: this.writes,
      reads: this.reads,
      repeated: this.repeated,
      elapsedNs,
      latency: latencyOfHistogram(this.#latency),
      steps: this.#steps(),
      kills,
      lost: this.lost,
      history: { operations: this.#history.length, linearizable: verdict.linearizable, fault },
    };
  }
}
