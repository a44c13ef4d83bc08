/** The processes of one trial; every one is ended when the trial is over. */
import type { Command, Host, HostProcess } from '../hosts/host.js';

/** After its control channel has closed a program gets this long before it is told by signal. */
const graceMs = 3000;

export class Cast {
  private readonly processes: HostProcess[] = [];

  constructor(
    private readonly host: Host,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws the signal's reason once it was aborted: nothing is started any more */
  start(name: string, command: Command): HostProcess {
    this.signal.throwIfAborted();
    const started = this.host.spawn(name, command);
    this.processes.push(started);
    return started;
  }

  async end(started: HostProcess): Promise<void> {
    this.processes.splice(this.processes.indexOf(started), 1);
    await started.end(graceMs);
  }

  async endAll(): Promise<void> {
    await Promise.all(this.processes.splice(0).map((one) => one.end(graceMs)));
  }
}
