/** Runs by name, and what their folders hold. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RunInfo } from '../contract/run.js';
import { parseInfo } from './info.js';
import { type ParsedSamples, parseSamples, requireSamples } from './parse.js';

const changed = (folder: string) => statSync(join(folder, 'samples.ndjson')).mtimeMs;

/** Folder of a run: a path, a name under results/, or `latest`. @throws Error in one sentence */
export function findRun(name: string, results = 'results'): string {
  if (name === 'latest') {
    const runs = existsSync(results)
      ? readdirSync(results)
          .map((entry) => join(results, entry))
          .filter((folder) => existsSync(join(folder, 'samples.ndjson')))
          .sort((a, b) => changed(b) - changed(a))
      : [];
    if (!runs[0]) throw new Error(`${results}/ holds no run yet: start one with 'dispatchbench run quick'`);
    return runs[0];
  }
  const folder = [name, join(results, name)].find((candidate) => existsSync(candidate));
  if (!folder)
    throw new Error(`there is no run '${name}': give its folder, its name under ${results}/ or 'latest'`);
  if (!existsSync(join(folder, 'samples.ndjson'))) {
    throw new Error(`'${folder}' is not a run: it has no samples.ndjson`);
  }
  return folder;
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
