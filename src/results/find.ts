/** Runs by name, and what their folders hold. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RunInfo } from '../contract/run.js';
import { parseInfo } from './info.js';
import { type ParsedSamples, parseSamples, requireSamples } from './parse.js';
import { registered, startedHere } from './register.js';

const changed = (folder: string) => statSync(join(folder, 'samples.ndjson')).mtimeMs;

/** Where runs are when nobody says otherwise. */
const usual = 'results';

const below = (results: string): string[] =>
  existsSync(results) ? readdirSync(results).map((entry) => join(results, entry)) : [];

/**
 * Folder of a run: a path, a name under results/ or of a run made with --out elsewhere, or `latest`: of those under results/
 * and those started from this working folder.
 * @param results left out: the usual folder, and what was made elsewhere
 * @throws Error in one sentence
 */
export function findRun(name: string, results?: string): string {
  const folder = results ?? usual;
  const elsewhere = results === undefined;
  if (name === 'latest') {
    const [newest] = [...below(folder), ...(elsewhere ? startedHere() : [])]
      .filter((run) => existsSync(join(run, 'samples.ndjson')))
      .sort((a, b) => changed(b) - changed(a));
    if (newest === undefined)
      throw new Error(`${folder}/ holds no run yet: start one with 'dispatchbench run quick'`);
    return newest;
  }
  const found =
    [name, join(folder, name)].find((candidate) => existsSync(candidate)) ??
    (elsewhere ? registered(name) : undefined);
  if (found === undefined)
    throw new Error(`there is no run '${name}': give its folder, its name under ${folder}/ or 'latest'`);
  if (!existsSync(join(found, 'samples.ndjson'))) {
    throw new Error(
      `'${found}' is not a run: it has no samples.ndjson; give the folder of a run, or 'latest'`,
    );
  }
  return found;
}

/** @throws Error in one sentence */
function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as Error).message}`);
  }
}

/** What a run's folder holds. @throws Error in one sentence */
export function readRun(folder: string): { info: RunInfo | null; parsed: ParsedSamples } {
  const [samples, record] = ['samples.ndjson', 'run.json'].map((name) => join(folder, name)) as [
    string,
    string,
  ];
  if (!existsSync(samples)) throw new Error(`'${folder}' is not a run: it has no samples.ndjson`);
  const info = existsSync(record) ? parseInfo(text(record), record) : null;
  const parsed = parseSamples(text(samples), samples);
  requireSamples(parsed);
  if (!info) parsed.notices.push('run.json is missing: plan, seed and versions of this run are unknown.');
  return { info, parsed };
}
