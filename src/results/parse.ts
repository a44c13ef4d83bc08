/** samples.ndjson as text -> samples, with what had to be left out and why. */
import { printable } from '../contract/printable.js';
import { cellLevels, levelsKey, SCHEMA_VERSION } from '../contract/sample.js';
import { firstIssue } from '../contract/validated.js';
import { decodeHistogram } from '../statistics/histogram.js';
import { kindOf } from '../trials/registry.js';
import { type Sample, sample } from '../trials/sample.js';
import { otherVersion } from './info.js';

/** A line that is not used. */
export interface Refusal {
  line: number;
  cell: string;
  reason: string;
}

export interface ParsedSamples {
  samples: Sample[];
  refused: Refusal[];
  notices: string[];
}

/** Above this step of the monotonic clock, latencies of tens of microseconds mean nothing. */
const maxClockStepNs = 1000;

type Loose = Record<string, unknown> | undefined;

/** Why a sample must not be used, although it can be read; null when it may. */
function refusal(raw: Record<string, unknown>): string | null {
  const host = raw.host as Loose;
  if (!host?.executionClass)
    return 'it does not say its execution class (host.executionClass), so its figures cannot be placed';
  const step = host.clockStepNs;
  if (typeof step === 'number' && step > maxClockStepNs) {
    return `the clock of ${printable(String(host.name))} steps by ${step} ns (more than ${maxClockStepNs} ns)`;
  }
  return null;
}

/**
 * @param path for messages
 * @throws Error in one sentence when the file as a whole cannot be used
 */
export function parseSamples(text: string, path = 'samples.ndjson'): ParsedSamples {
  const lines = text.split('\n');
  // A complete file ends in a line feed; what follows the last one is the line a crash cut short.
  const cut = lines.pop()!;
  const result: ParsedSamples = { samples: [], refused: [], notices: [] };
  /** where each cell of each block was first met */
  const known = new Map<string, number>();
  lines.forEach((content, index) => {
    if (content.trim() === '') return;
    const line = index + 1;
    const read = readLine(content, path);
    if ('reason' in read) {
      result.refused.push({ line, ...read });
      return;
    }
    const key = trialKey(read);
    const before = known.get(key);
    if (before === undefined) {
      known.set(key, line);
      result.samples.push(read);
    } else {
      const reason = `line ${before} has this cell of this block already`;
      result.refused.push({ line, cell: printable(levelsKey(read.cell)), reason });
    }
  });
  if (cut !== '') {
    result.notices.push(
      `The last line of samples.ndjson (line ${lines.length + 1}) was cut short and is left out.`,
    );
  }
  return result;
}

/** @throws Error in one sentence when there is nothing to report */
export function requireSamples({ samples, refused }: ParsedSamples): void {
  if (samples.length > 0) return;
  const [first] = refused;
  throw new Error(
    first
      ? `no sample of this run can be used: line ${first.line}: ${first.reason}`
      : 'samples.ndjson holds no sample yet: let the run finish a trial first',
  );
}

/** A run measures each cell once in a block. */
const trialKey = ({ experiment, host, block, cell }: Sample) =>
  JSON.stringify([experiment, host.name, block, Object.entries(cell).sort()]);

/** A schema cannot look into a histogram: "measurements.open.latency.histogram: ...", or null when all can be read. */
function damagedHistogram({ measurements }: Sample): string | null {
  for (const [name, measurement] of Object.entries(measurements)) {
    for (const [what, distribution] of Object.entries(kindOf(measurement).distributions(measurement))) {
      try {
        if (distribution) decodeHistogram(distribution.histogram);
      } catch (error) {
        return `measurements.${name}.${what}.histogram: ${(error as Error).message}`;
      }
    }
  }
  return null;
}

function readLine(content: string, path: string): Sample | Omit<Refusal, 'line'> {
  let raw: Record<string, unknown> | null;
  try {
    raw = JSON.parse(content) as Record<string, unknown> | null;
  } catch {
    return { cell: '', reason: 'it is not JSON' };
  }
  if (typeof raw?.schemaVersion !== 'number') return { cell: '', reason: 'it is no sample' };
  if (raw.schemaVersion !== SCHEMA_VERSION) throw new Error(otherVersion(path, raw.schemaVersion));
  const levels = cellLevels.safeParse(raw.cell);
  const cell = levels.success ? printable(levelsKey(levels.data)) : '';
  const reason = refusal(raw);
  if (reason) return { cell, reason };
  const parsed = sample.safeParse(raw);
  if (!parsed.success) return { cell, reason: firstIssue(parsed.error) };
  const damage = damagedHistogram(parsed.data);
  return damage === null ? parsed.data : { cell, reason: damage };
}
