/** The programs a trial starts, as commands. Tests put scripts in their place. */

import type { SessionSpec } from '../contract/ramp.js';
import type { ServerSpec, WindowSpec } from '../experiments/experiment.js';
import type { Command } from '../hosts/host.js';
import type { HostPort } from '../options.js';
import { awakeCommand } from '../programs/awake.js';
import { idleCommands } from '../programs/idle.js';
import { loadCommand } from '../programs/load.js';
import { serverCommand } from '../programs/server.js';
import { sessionCommand } from '../programs/session.js';

export interface Placed {
  cpus: number[];
}

export interface Programs {
  server(spec: ServerSpec & Placed): Command;
  /** as many holders as the descriptor limit makes necessary */
  idle(spec: { target: HostPort; connections: number } & Placed): Command[];
  load(spec: WindowSpec & Pick<ServerSpec, 'protocol' | 'ports'> & { target: HostPort } & Placed): Command;
}

/** What the session client is asked for a window with `sessions`. */
export function sessionSpecOf(window: WindowSpec & { target: HostPort } & Placed): SessionSpec {
  const { calls, timeoutMs, sampleMs } = window.sessions!;
  return {
    ...window.target,
    uri: '/',
    rate: window.rate! / calls,
    connections: window.connections,
    calls,
    timeoutMs,
    sampleMs,
    arrival: 'fixed',
    cpus: window.cpus,
  };
}

/** The real ones. */
export const programs: Programs = {
  server: ({ io, ...spec }) => serverCommand({ ...spec, io: io ?? undefined, control: true }),
  idle: (spec) => idleCommands(spec).map(({ command }) => command),
  load(spec) {
    if (spec.sessions) return sessionCommand(sessionSpecOf(spec));
    const { protocol, ports, pipelining, target, connections, rate, size, warmupMs, durationMs, cpus } = spec;
    return loadCommand({
      protocol,
      ports,
      pipelining,
      portOrder: protocol === 'udp-echo' ? 'random' : undefined,
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

/** The same, but server and load client are started with their CPUs kept awake. */
export const keptAwake = (programs: Programs): Programs => ({
  ...programs,
  server: (spec) => awakeCommand(spec.cpus, programs.server(spec)),
  load: (spec) => awakeCommand(spec.cpus, programs.load(spec)),
});
