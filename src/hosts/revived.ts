/**
 * A host that may be lost, such as a virtual machine whose process is killed: the trial in which that happens fails, and
 * the host is made anew when the next one asks for its state.
 */
import type { Host, HostProcess } from './host.js';
import type { Command, Program } from './program.js';

export interface Standing {
  host: Host;
  close(): Promise<void>;
}

export class Revived implements Host {
  private constructor(
    private standing: Standing,
    private readonly make: () => Promise<Standing>,
  ) {}

  /** @param make throws Error in one sentence when there can be none */
  static async start(make: () => Promise<Standing>): Promise<Revived> {
    return new Revived(await make(), make);
  }

  get name(): string {
    return this.host.name;
  }
  get look() {
    return this.host.look;
  }
  get facts() {
    return this.host.facts;
  }
  get sources() {
    return this.host.sources;
  }

  command = (program: Program): Command => this.host.command(program);
  spawn = (name: string, command: Command): HostProcess => this.host.spawn(name, command);
  addressFor = (peer: Host): string => this.host.addressFor(peer);
  counters = () => this.host.counters();
  memory = () => this.host.memory();
  memoryCopy = () => this.host.memoryCopy();
  clock = () => this.host.clock();

  /** @throws Error in one sentence when it was lost and cannot be made again */
  async state() {
    try {
      return await this.host.state();
    } catch {
      await this.close();
      this.standing = await this.make();
      return await this.host.state();
    }
  }

  close = (): Promise<void> => this.standing.close();

  private get host(): Host {
    return this.standing.host;
  }
}
