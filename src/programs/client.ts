/** What the command lines of all client programs share. */
import { resolve } from 'node:path';
import { packageRoot } from '../addon.js';
import type { Command } from '../hosts/host.js';

/** A TypeScript client, run by this same Node. */
export function clientProgram(name: string, args: string[]): Command {
  return { command: process.execPath, args: [resolve(packageRoot, 'dist/clients', `${name}.js`), ...args] };
}

/** ['--name', 'value'], or nothing when there is no value. */
export function flag(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`--${name}`, String(value)];
}

/** Durations are exact to the microsecond, and never written with an exponent. */
export function seconds(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${Math.round(value * 1e6)}us`;
}
