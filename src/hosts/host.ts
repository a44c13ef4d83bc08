/**
 * Where programs run. One file per kind of host implements this; none of them knows what is measured.
 *
 * Programs pin themselves (`--cpu` in their arguments), because only they can move all their threads on every kind of
 * host, so a host has nothing to do with CPUs beyond naming them in what it tells of itself.
 */
import type {
  HostCounters,
  HostFacts,
  HostLook,
  HostState,
  MemoryCopy,
  MemoryUse,
} from '../contract/host.js';
import type { LinkDirection, LinkReport, LinkShape } from '../contract/link.js';
import type { ClockEstimate } from './clock.js';
import type { Command, Program } from './program.js';

/** Ends of lines of a program that a host runs, and its control channel. */
export interface HostProcess {
  /** what to call it in messages */
  readonly name: string;
  /** process id on its host; 0 when it could not be started */
  readonly pid: number;
  /**
   * The next JSON line whose `event` is this one, kept from when it was printed until it is asked for.
   * @throws Error in one sentence with the end of stderr when the program ends first or `timeoutMs` pass
   */
  expect(event: string, timeoutMs: number): Promise<unknown>;
  /** Writes one line to its stdin. A program that has ended ignores it. */
  send(line: string): void;
  /** Closes stdin, which ends the program by contract, then insists (SIGTERM, SIGKILL) when it does not end. */
  end(graceMs: number): Promise<void>;
  /** "server was killed by SIGKILL": how it ended; null while it runs. */
  ended(): string | null;
  /** Last lines of stderr. */
  stderrTail(): string;
}

/** A host that has been started. */
export interface Host {
  readonly name: string;
  /** What does not change during a run; asked once, when the host was started. */
  readonly look: HostLook;
  readonly facts: HostFacts;
  /** More numeric addresses of its own: clients there connect from them where one address has too few ports. */
  readonly sources: readonly string[];
  /** How one of our programs is started there, as a command for this machine. */
  command(program: Program): Command;
  /**
   * The same command, for somebody at this machine's terminal to run there; null: none here reaches it. Left out: as null.
   */
  entering?(command: Command): Command | null;
  /** @throws never: a command that cannot be started shows as a process that ended with the reason */
  spawn(name: string, command: Command): HostProcess;
  /** Numeric address at which a server there is reached from `peer`. */
  addressFor(peer: Host): string;
  counters(): Promise<HostCounters>;
  memory(): Promise<MemoryUse>;
  state(): Promise<HostState>;
  /** How fast one thread copies memory there; takes a fraction of a second. */
  memoryCopy(): Promise<MemoryCopy>;
  /** Its monotonic clock against ours. */
  clock(): Promise<ClockEstimate>;
}

/** What emulates a link between server and client. */
export interface LinkControl {
  /** CPUs on which it works; empty: the kernel does it in passing */
  readonly cpus: readonly number[];
  /** CPU time that it has taken so far, microseconds; null: nobody counts it */
  cpuUs(): number | null;
  /** How it ended; null while it works. */
  ended(): string | null;
  /** What passed since the last report. @throws Error in one sentence when it has ended */
  report(): Promise<LinkReport>;
  /**
   * Packets find these shapes from now on; those that it holds leave as they were to. What the facts of the hosts say of it
   * stays: whoever changes it tells so, and changes it back.
   * @throws Error in one sentence when it cannot
   */
  change(shapes: Readonly<Record<LinkDirection, LinkShape>>): Promise<void>;
}

/** Where the parts of a trial run. The two are one object where one machine plays both. */
export interface Roles {
  /** as the run calls the whole: the name of figures taken here */
  readonly name: string;
  readonly server: Host;
  readonly client: Host;
  /** left out: nothing is emulated between them */
  readonly link?: LinkControl;
  /** CPUs that were asked for; left out: the usual ones */
  readonly pin?: {
    readonly server?: readonly number[] | undefined;
    readonly client?: readonly number[] | undefined;
  };
  /** Ends what was started to have these hosts. */
  close(): Promise<void>;
}

/** A kind of host, by the name users write. */
export interface HostKind {
  id: string;
  /** one line for --help */
  summary: string;
  /** its argument describes a link, as --link does */
  takesLink?: true;
  /** never taken among all hosts of a machine: it has to be told which, or is this machine once more */
  onlyWhenAsked?: true;
  /** arguments that make further hosts of this kind, each a row of its own among all hosts of a machine */
  variants?: readonly string[];
  /** Why there can be none here, and what to do about it; null: there can. Starts nothing that stays. */
  unavailable(): Promise<string | null>;
  /**
   * @param argument what stands behind the colon of `NAME:ARGUMENT`; null: nothing
   * @throws Error in one sentence with what is missing when there can be no such host here
   */
  open(argument: string | null): Promise<Roles>;
}
