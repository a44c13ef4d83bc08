/** The programs a trial starts, as commands. Tests put scripts in their place. */
import type { ServerSpec, WindowSpec } from '../experiments/experiment.js';
import type { Command } from '../hosts/host.js';
import type { HostPort } from '../options.js';
import { idleCommands } from '../programs/idle.js';
import { loadCommand } from '../programs/load.js';
import { serverCommand } from '../programs/server.js';

export interface Placed {
  cpus: number[];
}

export interface Programs {
  server(spec: ServerSpec & Placed): Command;
  /** as many holders as the descriptor limit makes necessary */
  idle(spec: { target: HostPort; connections: number } & Placed): Command[];
  load(spec: WindowSpec & { protocol: ServerSpec['protocol']; target: HostPort } & Placed): Command;
}

/** The real ones. */
export const programs: Programs = {
  server: ({ io, ...spec }) => serverCommand({ ...spec, io: io ?? undefined, control: true }),
  idle: (spec) => idleCommands(spec).map(({ command }) => command),
  load({ protocol, target, connections, rate, size, warmupMs, durationMs, cpus }) {
    if (protocol === 'udp-echo') throw new Error('the load client has no protocol udp-echo');
    return loadCommand({
      protocol,
      target,
      connections,
      rate,
      size,
      warmupS: warmupMs / 1000,
      durationS: durationMs / 1000,
      cpus,
    });
  },
};
