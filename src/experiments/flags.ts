/** Options that several experiments have, and how lists are read. */
import { InvalidArgumentError } from '@commander-js/extra-typings';
import { parseArgsStringToArgv } from 'string-argv';
import { backendNames, engineName, ioMode, serverName } from '../contract/common.js';
import { type ForeignServer, foreignServer } from '../contract/subject.js';
import { adaptive, mostStreams } from '../contract/transfer.js';
import { wholeNumber } from '../options.js';
import { suggestion } from '../suggestion.js';
import type { Flag } from './experiment.js';

/** 'a,b' -> ['a', 'b'], each one of `known`. */
export const names =
  (known: readonly string[], what: string) =>
  (text: string): string[] => {
    const chosen = text.split(',').map((name) => name.trim());
    const unknown = chosen.find((name) => !known.includes(name));
    if (unknown !== undefined)
      throw new InvalidArgumentError(
        `unknown ${what} '${unknown}': known are ${known.join(', ')}.${suggestion(unknown, known)}`,
      );
    return chosen;
  };

/** '1,2' -> what `one` makes of each */
export const list =
  <T>(one: (text: string) => T) =>
  (text: string): T[] =>
    text.split(',').map((part) => one(part.trim()));

/** A number of streams, or `adaptive`. */
export const streamsOf = (text: string): number | typeof adaptive =>
  text === adaptive ? adaptive : wholeNumber(1, mostStreams)(text);

const units: Readonly<Record<string, number>> = { '': 1, k: 1 << 10, M: 1 << 20 };

/** '64k', '1M' -> bytes, by powers of 1024 */
export const size =
  (most: number) =>
  (text: string): number => {
    const [, digits, unit = ''] = text.match(/^(\d+)([kM]?)$/) ?? [];
    const value = Number(digits) * units[unit]!;
    if (value >= 1 && value <= most) return value;
    throw new InvalidArgumentError(
      `'${text}' is not a number of bytes up to ${most >> 20}M: write 4096, 64k or 1M.`,
    );
  };

/** The program's own name, told apart from those before it. */
function nameOf(command: string, taken: readonly ForeignServer[]): string {
  const base = command.slice(command.lastIndexOf('/') + 1).replace(/[^\w.-]/g, '-') || 'server';
  const used = new Set(taken.map(({ name }) => name));
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base}-${number}`;
    if (!used.has(name)) return name;
  }
}

/** 'nginx -p {port}' -> its arguments, as a shell would divide them; no shell ever sees them. */
function foreign(text: string, previous: unknown): ForeignServer[] {
  const before = (previous as ForeignServer[] | undefined) ?? [];
  const command = parseArgsStringToArgv(text);
  if (command.length === 0 || !command.some((part) => part.includes('{port}')))
    throw new InvalidArgumentError(
      `'${text}' does not say where it gets its port: write {port} in its command line.`,
    );
  // `node script.js` is called by its script.
  const called = /^(node|python3?|ruby|perl|deno|bun)$/.test(command[0]!)
    ? (command[1] ?? command[0]!)
    : command[0]!;
  const server = foreignServer.safeParse({ name: nameOf(called, before), command });
  if (!server.success) throw new InvalidArgumentError(`'${text}' is no command line.`);
  return [...before, server.data];
}

/** Which servers are measured. */
export const serverFlags: readonly Flag[] = [
  {
    flags: '--backends <list>',
    description: 'backends, comma-separated',
    setting: 'backends',
    parse: names(backendNames, 'backend'),
    names: true,
  },
  {
    flags: '--impl <list>',
    description: `implementations: ${serverName.options.join(', ')}`,
    setting: 'impls',
    parse: names(serverName.options, 'implementation'),
    names: true,
  },
  {
    flags: '--io <list>',
    description: `I/O per Node-API crossing of ts: ${ioMode.options.join(', ')}`,
    setting: 'ios',
    parse: names(ioMode.options, 'io mode'),
    names: true,
  },
];

/** Completion engines beside the backends. */
export const engineFlag: Flag = {
  flags: '--engine <list>',
  description: `completion engines beside the backends: ${engineName.options.join(', ')}`,
  setting: 'engines',
  parse: names(engineName.options, 'engine'),
  names: true,
};

/** Somebody else's server beside ours. Of its own in each experiment, because a program speaks one protocol. */
export const foreignFlag = (): Flag => ({
  flags: '--server <command>',
  description: "also somebody else's server, such as 'node my-server.js {port}'; may be given several times",
  setting: 'foreign',
  parse: foreign,
});
