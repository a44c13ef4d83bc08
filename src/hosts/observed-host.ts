/** A host that a command on this machine reaches: programs are started through it, the observer there tells the rest. */
import { setTimeout as pause } from 'node:timers/promises';
import type { HostFacts, HostIdentity, HostLook } from '../contract/host.js';
import { accounted } from './accounted.js';
import { Child } from './child.js';
import { type ClockEstimate, sameClock } from './clock.js';
import type { Host, HostProcess } from './host.js';
import { ownBootId } from './linux-facts.js';
import { Observer, type Observing, observerProgram } from './observer.js';
import type { CpuUse } from './process-tree.js';
import { type Command, commandOf, type Installation, ownInstallation, type Program } from './program.js';

export interface Access {
  identity: HostIdentity;
  /** numeric address of its servers */
  address: string;
  /** as `Host` has them; none when left out */
  sources?: readonly string[];
  /** turns a command there into one here; as it is when left out */
  enter?(command: Command): Command;
  /** starts a command there, where that is not by a command here */
  start?(name: string, command: Command): HostProcess;
  /** where our programs lie there; as here when left out */
  installation?: Installation;
  /** what has just started may not be yet what it will be: it is looked at again until this holds, or for long */
  settled?(look: HostLook): boolean;
  /** the observer there, and how it is asked; left out: the one that Node runs */
  observer?: { program: Program; asked(program: HostProcess): Observing };
  /**
   * what its observer cannot know: who stands below it, and the CPU time that this has taken, in place of its programs'
   * own (`cpu`) or beside it (`carrierCpu`)
   */
  below?: {
    facts?: Partial<HostLook['facts']>;
    versions?: Record<string, string>;
    cpu?: () => CpuUse;
    carrierCpu?: () => CpuUse;
  };
}

export class ObservedHost implements Host {
  private constructor(
    private readonly access: Access,
    private readonly observer: Observing,
    readonly look: HostLook,
  ) {}

  /** @throws Error in one sentence when no program can be started there */
  static async start(access: Access): Promise<ObservedHost> {
    const name = `the observer on host ${access.identity.name}`;
    const { program, asked } = access.observer ?? byNode;
    const observer = asked(start(access, name, commandOf(program, access.installation)));
    try {
      const look = await settledLook(observer, access.settled);
      return new ObservedHost(access, observer, complete(look, access.below));
    } catch (error) {
      await observer.end();
      throw error;
    }
  }

  get name(): string {
    return this.access.identity.name;
  }

  get sources(): readonly string[] {
    return this.access.sources ?? [];
  }

  get facts(): HostFacts {
    return { ...this.access.identity, ...this.look.facts };
  }

  command(program: Program): Command {
    return commandOf(program, this.access.installation ?? ownInstallation);
  }

  entering(command: Command): Command | null {
    return this.access.start ? null : (this.access.enter?.(command) ?? command);
  }

  spawn(name: string, command: Command): HostProcess {
    const { below = {} } = this.access;
    return (['cpu', 'carrierCpu'] as const).reduce<HostProcess>(
      (program, as) => {
        const account = below[as];
        return account ? accounted(program, account, as) : program;
      },
      start(this.access, name, command),
    );
  }

  addressFor(_peer: Host): string {
    return this.access.address;
  }

  counters = () => this.observer.counters();
  memory = () => this.observer.memory();
  state = () => this.observer.state();
  memoryCopy = () => this.observer.memoryCopy();

  /** Programs of one boot read one clock. */
  async clock(): Promise<ClockEstimate> {
    const { bootId } = this.look;
    return bootId !== null && bootId === ownBootId() ? sameClock : this.observer.clock();
  }

  stop(): Promise<void> {
    return this.observer.end();
  }
}

const byNode: NonNullable<Access['observer']> = {
  program: observerProgram,
  asked: (program) => new Observer(program),
};

const settleMs = 10_000;
const againMs = 50;

async function settledLook(observer: Observing, settled: Access['settled']): Promise<HostLook> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const look = await observer.look();
    if (!settled || settled(look) || performance.now() > deadline) return look;
    await pause(againMs);
  }
}

const start = (access: Access, name: string, command: Command): HostProcess =>
  access.start?.(name, command) ?? new Child(name, access.enter?.(command) ?? command);

const complete = (look: HostLook, { facts, versions }: Access['below'] = {}): HostLook => ({
  ...look,
  facts: { ...look.facts, ...facts },
  versions: { ...look.versions, ...versions },
});
