/** Which program serves a protocol, and with which arguments: one place for runner, CLI, tests and benchmarks. */
import type { Implementation, IoMode, MechanismName, Protocol } from '../contract/common.js';
import { isEngine } from '../contract/names.js';
import { type ServerOptionValues, serverOptionEntries } from '../contract/server-options.js';
import type { Program } from '../hosts/program.js';

/** What to run, and options where they are not to be what a server takes by itself. */
export interface ServerOptions extends Optional<ServerOptionValues> {
  protocol: Protocol;
  impl: Implementation;
  /** or the engine that stands in its place */
  backend: MechanismName;
  /** for `ts` only; batch when left out */
  io?: IoMode | undefined;
}
type Optional<Values> = { [Name in keyof Values]?: Values[Name] | undefined };

/** The arguments that say `value`; none where it says nothing. */
function argumentsOf(
  flag: string,
  value: ServerOptionValues[keyof ServerOptionValues] | undefined,
): string[] {
  if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) return [];
  return value === true ? [`--${flag}`] : [`--${flag}`, String(value)];
}

/** Those of TypeScript, and Node's own; the others are programs by themselves. */
export const runByNode = (impl: Implementation): boolean => impl !== 'native' && impl !== 'baseline';

export function serverProgram(spec: ServerOptions): Program {
  const args = [
    ...['--protocol', spec.protocol, isEngine(spec.backend) ? '--engine' : '--backend', spec.backend],
    ...serverOptionEntries.flatMap(([name, { flag }]) => argumentsOf(flag, spec[name])),
  ];
  if (!runByNode(spec.impl)) {
    const name = spec.impl === 'native' ? 'dispatchbench-server' : 'dispatchbench-baseline';
    return { native: name, args };
  }
  if (spec.impl === 'ts') args.push('--io', spec.io ?? 'batch');
  return { script: 'servers/main', args: ['--impl', spec.impl, ...args] };
}
