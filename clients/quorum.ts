/**
 * Has a group of replicas agree on writes in a closed loop, and says what came of it: its argument is a QuorumClientSpec as
 * JSON. Lines: window-start and window-end, `kill` when a leader is to be killed, `filled` when there is a state and `resync` when
 * a replica is to lose it, result (src/contract/quorum.ts); control: `killed NS` and `restarted`, `compacted`, `resynced`, and its
 * end is the program's end.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { QuorumResult } from '../src/contract/quorum.js';
import { printLine, readControl } from '../src/control.js';
import { monotonicNow } from '../src/monotonic.js';
import { setAffinity } from '../src/process.js';
import { runProgram } from '../src/program.js';
import { type QuorumClientSpec, quorumClientSpec } from '../src/programs/quorum.js';
import type { Operation } from '../src/quorum/machine.js';
import { peerOf } from '../src/quorum-peers/registry.js';
import { PbftSession } from './quorum/pbft-session.js';
import { PeerSession } from './quorum/peer-session.js';
import { RaftSession } from './quorum/raft-session.js';
import { paddedValue, Recorder } from './quorum/record.js';
import type { Hint, Session } from './quorum/session.js';

/** Keys that all sessions share, for each session, and at least so many. */
const SHARED_KEYS = 2;
const LEAST_KEYS = 16;
/** Load goes on so long before a leader is killed, and after its replica is back, milliseconds at most. */
const BETWEEN_KILLS_MS = 150;
/** Bytes of a value of the state that a replica is to fetch. */
const FILLING_BYTES = 1 << 16;

function sessionOf(number: number, spec: QuorumClientSpec, hint: Hint): Session {
  const peer = peerOf(spec.system);
  if (peer) return new PeerSession(peer, spec, hint);
  return new (spec.system === 'pbft' ? PbftSession : RaftSession)(number, spec, hint);
}

/** Lines of the control channel, each kept until it is waited for. */
class Told {
  readonly #lines: string[] = [];
  #wanted: (() => void) | null = null;

  take(line: string): void {
    this.#lines.push(line);
    this.#wanted?.();
  }

  async next(word: string): Promise<string> {
    for (;;) {
      const at = this.#lines.findIndex((line) => line.split(' ')[0] === word);
      if (at >= 0) return this.#lines.splice(at, 1)[0]!;
      await new Promise<void>((wanted) => {
        this.#wanted = wanted;
      });
    }
  }
}

class Load {
  readonly #spec: QuorumClientSpec;
  readonly recorder = new Recorder();
  readonly #hint: Hint;
  readonly #sessions: Session[];
  readonly #prober: Session;
  readonly #sharedKeys: number;
  #stopped = false;
  readonly #untilMs: number;

  constructor(spec: QuorumClientSpec, leader: number) {
    this.#spec = spec;
    this.#hint = { leader };
    this.#sessions = Array.from({ length: spec.clients }, (_, i) => sessionOf(i + 1, spec, this.#hint));
    this.#prober = sessionOf(spec.clients + 1, spec, this.#hint);
    this.#sharedKeys = Math.max(LEAST_KEYS, SHARED_KEYS * spec.clients);
    this.#untilMs = performance.now() + spec.mostMs;
  }

  get leader(): number {
    return this.#hint.leader;
  }

  readonly #given = (): boolean => this.#stopped || performance.now() > this.#untilMs;

  async #ask(session: Session, operation: Operation) {
    const called = monotonicNow();
    const answer = await session.ask(operation, this.#given);
    const returned = monotonicNow();
    this.recorder.asked(operation, called, returned, answer);
    return { reply: answer.reply, called, returned };
  }

  #operation(number: number, round: number): Operation {
    const { readShare, valueBytes } = this.#spec;
    const shared = `k${Math.floor(Math.random() * this.#sharedKeys)}`;
    if (Math.random() < readShare) return { kind: 'get', key: shared };
    const key = round % 2 === 0 ? `own${number}` : shared;
    return { kind: 'put', key, value: paddedValue(`${number}.${round}`, valueBytes) };
  }

  /** All sessions ask, one request each at a time. @returns when all have ended */
  run(): Promise<unknown> {
    return Promise.all(
      this.#sessions.map(async (session, i) => {
        for (let round = 0; !this.#given(); round++) await this.#ask(session, this.#operation(i + 1, round));
      }),
    );
  }

  /** Writes so many bytes, in values as long as they may be about. */
  async fill(bytes: number): Promise<void> {
    const values = Math.ceil(bytes / FILLING_BYTES);
    let next = 0;
    await Promise.all(
      this.#sessions.map(async (session) => {
        for (let i = next++; i < values; i = next++) {
          const value = paddedValue(`${i}`, Math.ceil(bytes / values));
          const { reply } = await session.ask({ kind: 'put', key: `state${i}`, value }, this.#given);
          if (reply === null) throw new Error(`a state of ${bytes} bytes was not written in time`);
        }
      }),
    );
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Until a write was acknowledged within the window, or the time is over. */
  async hasWritten(): Promise<void> {
    while (this.recorder.writes === 0 && !this.#given()) await pause(1);
  }

  /** A write, asked for until it is acknowledged. @returns when it was, nanoseconds */
  async probe(round: number): Promise<number> {
    const { clients, valueBytes } = this.#spec;
    for (let attempt = 0; ; attempt++) {
      if (this.#given()) throw new Error(`the group acknowledged nothing for ${this.#spec.mostMs} ms`);
      const value = paddedValue(`${clients + 1}.${round * 100_000 + attempt}`, valueBytes);
      const { reply, returned } = await this.#ask(this.#prober, {
        kind: 'put',
        key: `own${clients + 1}`,
        value,
      });
      if (reply !== null) return returned;
    }
  }

  /** Reads every key once more, and holds what is found against what was acknowledged. */
  async readAll(): Promise<void> {
    this.#stopped = false;
    for (const key of this.recorder.keys())
      for (let reply: string | null = null; reply === null; ) {
        if (this.#given()) throw new Error(`'${key}' could not be read at the end`);
        reply = (await this.#ask(this.#prober, { kind: 'get', key })).reply;
        if (reply !== null) this.recorder.found(key, reply);
      }
  }

  close(): void {
    for (const session of [...this.#sessions, this.#prober]) session.close();
  }
}

/** Of other groups every member takes requests, so that whoever answers need not lead. */
const leaderOf = ({ system, replicas, patienceMs }: QuorumClientSpec, load: Load | null) =>
  peerOf(system)?.leader(replicas, patienceMs) ?? load?.leader ?? 0;

async function killed(spec: QuorumClientSpec, load: Load, told: Told): Promise<QuorumResult['kills']> {
  const all: QuorumResult['kills'] = [];
  for (let round = 1; round <= spec.kills; round++) {
    await pause(Math.random() * BETWEEN_KILLS_MS);
    printLine({ event: 'kill', leader: await leaderOf(spec, load) } as { event: string });
    const [, at] = (await told.next('killed')).split(' ');
    const firstWriteNs = (await load.probe(round)) - Number(at);
    all.push({ firstWriteNs });
    await told.next('restarted');
  }
  return all;
}

const edge = (event: string) =>
  printLine({ event, monotonicNs: Math.round(monotonicNow()) } as { event: string });

await runProgram('quorum', async () => {
  const spec = quorumClientSpec.parse(JSON.parse(process.argv[2] ?? ''));
  if (spec.cpus.length > 0) setAffinity(spec.cpus);
  const told = new Told();
  readControl(
    (line) => told.take(line),
    () => process.exit(0),
  );
  const load = new Load(spec, await leaderOf(spec, null));
  if (!spec.beyond) await load.probe(0);
  if (spec.stateBytes > 0) {
    await load.fill(spec.stateBytes);
    printLine({ event: 'filled' });
    await told.next('compacted');
  }
  const running = load.run();
  await pause(spec.warmupMs);
  load.recorder.counts = true;
  const began = monotonicNow();
  edge('window-start');
  const kills = spec.kills > 0 ? await killed(spec, load, told) : [];
  if (spec.stateBytes > 0) {
    printLine({ event: 'resync', leader: await leaderOf(spec, load) } as { event: string });
    await told.next('resynced');
  } else if (spec.kills === 0) await pause(spec.durationMs);
  // A window without a write would say nothing, where there has to be one: it goes on until there is.
  if (!spec.beyond) await load.hasWritten();
  const elapsedNs = monotonicNow() - began;
  load.recorder.counts = false;
  edge('window-end');
  load.stop();
  await running;
  if (!spec.beyond) await load.readAll();
  load.close();
  printLine(load.recorder.result(spec.system, elapsedNs, kills));
  process.exit(0);
});
