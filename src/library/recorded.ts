/** A run as its folder holds it, and what is computed from it. */
import { type Analysis, analyse } from '../analysis/analyse.js';
import type { RunInfo } from '../contract/run.js';
import { readRun as read } from '../results/find.js';
import { parseInfo } from '../results/info.js';
import { type ParsedSamples, parseSamples, type Refusal, requireSamples } from '../results/parse.js';
import type { Sample } from '../trials/sample.js';

/** A run that has been read: plain data, raw as it was recorded. */
export interface RecordedRun {
  /** run.json: plan, seed, hosts, versions; null where it is missing */
  readonly info: RunInfo | null;
  /** one for each trial, those included that failed or are invalid (`status`) */
  readonly samples: readonly Sample[];
  /** lines that are not used, and why */
  readonly refused: readonly Refusal[];
  /** what else a reader must know, a sentence each */
  readonly notices: readonly string[];
}

const recorded = (info: RunInfo | null, { samples, refused, notices }: ParsedSamples): RecordedRun => ({
  info,
  samples,
  refused,
  notices,
});

/** @param folder of the run. @throws Error in one sentence when it holds none, or one of another version */
export function readRun(folder: string): RecordedRun {
  const { info, parsed } = read(folder);
  return recorded(info, parsed);
}

/**
 * The same from texts, wherever they come from.
 * @param samples samples.ndjson
 * @param info run.json; left out: it is missing
 * @throws Error in one sentence
 */
export function parseRun(samples: string, info?: string): RecordedRun {
  const parsed = parseSamples(samples);
  requireSamples(parsed);
  return recorded(info === undefined ? null : parseInfo(info, 'run.json'), parsed);
}

const known = new WeakMap<RecordedRun, Analysis>();

/** What is computed from a run, once. */
export function analysisOf(run: RecordedRun): Analysis {
  const before = known.get(run);
  if (before) return before;
  const { info, samples, refused, notices } = run;
  const made = analyse(info, { samples: [...samples], refused: [...refused], notices: [...notices] });
  known.set(run, made);
  return made;
}
