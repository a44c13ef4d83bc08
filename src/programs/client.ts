/** What the command lines of all client programs share. */
import type { Program } from '../hosts/program.js';

/** A TypeScript client. */
export function clientProgram(name: string, args: string[]): Program {
  return { script: `clients/${name}`, args };
}

/** ['--name', 'value'], or nothing when there is no value. */
export function flag(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`--${name}`, String(value)];
}

/** Durations are exact to the microsecond, and never written with an exponent. */
export function seconds(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${Math.round(value * 1e6)}us`;
}
