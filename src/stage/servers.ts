/**
 * The server of a trial: one process, or as many as the descriptor limit makes necessary, which share the server's CPU
 * and are measured as one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import { type Awake, awake } from '../contract/awake.js';
import {
  type Hello,
  hello,
  peerListening,
  type Snapshot,
  type SnapshotBody,
  snapshot,
  told,
} from '../contract/server.js';
import type { PeerSubject, Subject } from '../contract/subject.js';
import { validated } from '../contract/validated.js';
import type { HostProcess } from '../hosts/host.js';
import type { HostPort } from '../options.js';
import { sumSnapshots } from './merge.js';
import { answerMs } from './patience.js';

const body: z.ZodType<SnapshotBody> = snapshot.omit({ event: true, id: true });

/** @returns what differs between what was asked and what the server says it is, or null */
export function mismatch(asked: Subject, cpus: readonly number[], line: Hello): string | null {
  const shared: [string, unknown, unknown][] = [
    ['subject', asked.kind === 'peer' ? 'foreign' : asked.kind, line.subject],
    ['protocol', asked.protocol, line.protocol],
    ['ports', asked.ports ?? 1, line.ports],
    ['cpus', cpus.join(), line.cpuAffinity.join()],
  ];
  const own: typeof shared =
    asked.kind === 'dispatch' && line.subject === 'dispatch'
      ? [
          ['implementation', asked.impl, line.impl],
          ['backend', asked.backend, line.backend],
          ['io', asked.io, line.io],
          ['workers', asked.workers ?? 1, line.workers?.count ?? 1],
          ['accept', asked.accept, line.workers?.accept],
          ['least wait', asked.leastWait ?? 0, line.leastWaitUs ?? 0],
          ['backlog', asked.backlog ?? line.listenBacklog, line.listenBacklog],
        ]
      : [];
  const different = [...shared, ...own].filter(([, wanted, got]) => wanted !== got);
  return different.length === 0
    ? null
    : different.map(([what, wanted, got]) => `${what} '${wanted}' was asked, '${got}' runs`).join('; ');
}

/** A server on somebody else's loop told its wrapper what it waits with, and of which version of the library. */
async function tellingOf(process: HostProcess, { backend }: PeerSubject, hello: Hello): Promise<Hello> {
  const { text } = validated(told, await process.expect('told', answerMs), "the wrapper's line");
  const line = validated(peerListening, JSON.parse(text), "the server's first line");
  if (line.backend !== backend)
    throw new Error(`refused to measure: backend '${backend}' was asked, '${line.backend}' runs`);
  return { ...hello, versions: { ...hello.versions, ...line.versions } };
}

export class Servers {
  private asked = 0;

  private constructor(
    private readonly processes: readonly HostProcess[],
    readonly hellos: readonly Hello[],
    /** what they said of their CPUs, where they were started with them kept awake */
    readonly awake: Awake | null,
  ) {}

  /** Waits until all of them listen. @throws Error when one ends before, or is not what was asked */
  static async listening(
    processes: readonly HostProcess[],
    subject: Subject,
    cpus: readonly number[],
    keptAwake: boolean,
  ): Promise<Servers> {
    const patience = subject.kind === 'foreign' ? (subject.readyTimeoutMs ?? 0) : 0;
    const lines = await Promise.all(processes.map((one) => one.expect('hello', answerMs + patience)));
    const hellos = lines.map((line) => validated(hello, line, "the server's hello"));
    for (const line of hellos) {
      const different = mismatch(subject, cpus, line);
      if (different) throw new Error(`refused to measure: ${different}`);
    }
    const peers =
      subject.kind === 'peer'
        ? await Promise.all(processes.map((one, index) => tellingOf(one, subject, hellos[index]!)))
        : hellos;
    const state = keptAwake
      ? validated(awake, await processes[0]!.expect('awake', answerMs), "the server's line before its own")
      : null;
    return new Servers(processes, peers, state);
  }

  get targets(): HostPort[] {
    return this.hellos.map(({ address, port }) => ({ host: address, port }));
  }

  /** How the first of them ended that has; null while all run. */
  ended(): string | null {
    return this.processes.map((one) => one.ended()).find((how) => how !== null) ?? null;
  }

  /** The same, with its last words. */
  howEnded(): string | null {
    const one = this.processes.find((process) => process.ended() !== null);
    if (!one) return null;
    const words = one.stderrTail();
    return `${one.ended()}${words === '' ? '' : `; its last words: ${words.replaceAll('\n', ' | ')}`}`;
  }

  /** What the first of them, somebody else's program, printed as a line of its own. @throws Error when it has not */
  told(): Promise<unknown> {
    return this.processes[0]!.expect('told', answerMs);
  }

  async snapshot(): Promise<SnapshotBody> {
    const id = String(++this.asked);
    for (const one of this.processes) one.send(`snapshot ${id}`);
    const lines = await Promise.all(this.processes.map((one) => one.expect('snapshot', answerMs)));
    const all: Snapshot[] = lines.map((line) => validated(snapshot, line, "the server's snapshot"));
    const other = all.find((line) => line.id !== id);
    if (other) throw new Error(`the server answered snapshot ${other.id} when ${id} was asked`);
    return sumSnapshots(all.map((line) => body.parse(line)));
  }

  /**
   * A connection stands, or is gone, for its client before it is for the server: asks the server until its count is the
   * expected one, or for long. @returns its last answer; null: it does not tell
   */
  async count(expected: number): Promise<number | null> {
    const deadline = performance.now() + answerMs;
    for (;;) {
      const { connections } = await this.snapshot();
      if (connections === null || connections === expected || performance.now() > deadline)
        return connections;
      await pause(2);
    }
  }
}
