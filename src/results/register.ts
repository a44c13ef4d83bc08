/**
 * Where runs lie that were made with `--out`: a line for each in a file of this user, so that other commands find them by
 * name, and `latest` those that were started in the same working folder.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { stateFolder } from '../cache.js';
import { replaceFile } from '../files.js';

interface Entry {
  /** where the command was given */
  cwd: string;
  /** of the run, absolute */
  folder: string;
}

const file = () => stateFolder('runs');

/** Bytes from which those that are gone are left out. */
const large = 1 << 16;

const entryOf = (line: string): Entry[] => {
  const [cwd, folder] = line.split('\t');
  return cwd && folder ? [{ cwd, folder }] : [];
};

function entries(): Entry[] {
  try {
    return readFileSync(file(), 'utf8').split('\n').flatMap(entryOf);
  } catch {
    return [];
  }
}

const isRun = ({ folder }: Entry) => existsSync(join(folder, 'samples.ndjson'));

/** A run is made all the same where this user has no such place, or a path holds what a line cannot. */
export function register(folder: string): void {
  const line = `${process.cwd()}\t${resolve(folder)}`;
  if (/\n/.test(line) || line.split('\t').length > 2) return;
  try {
    mkdirSync(dirname(file()), { recursive: true });
    if (existsSync(file()) && statSync(file()).size > large)
      replaceFile(
        file(),
        entries()
          .filter(isRun)
          .map((one) => `${one.cwd}\t${one.folder}\n`)
          .join(''),
      );
    appendFileSync(file(), `${line}\n`);
  } catch {
    // Found by its path then.
  }
}

/** Folders of runs that were started in this working folder. */
export const startedHere = (): string[] =>
  entries()
    .filter((one) => one.cwd === process.cwd() && isRun(one))
    .map(({ folder }) => folder);

/** The newest run of that name, of this working folder before others; undefined: none is known. */
export function registered(name: string): string | undefined {
  const named = entries()
    .filter((one) => basename(one.folder) === name && isRun(one))
    .reverse();
  return (named.find(({ cwd }) => cwd === process.cwd()) ?? named[0])?.folder;
}
