/** The argument list of a real httperf for one step. An array for spawn: nothing of it is ever read by a shell. */
import type { SessionSpec } from '../contract/ramp.js';

/** `extra`: httperf's own options from `httperf_<name> = value` keys; null is an option without a value. */
export function httperfCommand(
  spec: SessionSpec,
  extra: ReadonlyMap<string, string | null> = new Map(),
): { command: string; args: string[] } {
  const period =
    spec.arrival === 'exponential' ? ['--period', `e${1 / spec.rate}`] : ['--rate', `${spec.rate}`];
  // httperf cannot pin itself.
  const [command, ...pinned] =
    spec.cpus.length > 0 ? ['taskset', '-c', spec.cpus.join(','), 'httperf'] : ['httperf'];
  return {
    command: command!,
    args: [
      ...pinned,
      // All of the machine's ports: without it httperf keeps to a small range.
      '--hog',
      '--server',
      spec.host,
      '--port',
      `${spec.port}`,
      '--uri',
      spec.uri,
      ...period,
      '--num-conns',
      `${spec.connections}`,
      '--num-calls',
      `${spec.calls}`,
      '--timeout',
      `${spec.timeoutMs / 1000}`,
      ...[...extra].flatMap(([name, value]) => (value === null ? [`--${name}`] : [`--${name}`, value])),
    ],
  };
}
