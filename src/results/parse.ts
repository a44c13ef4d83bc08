/** samples.ndjson as text -> samples, with what had to be left out and why. */
import { SCHEMA_VERSION } from '../contract/sample.js';
import { firstIssue } from '../contract/validated.js';
import { type Sample, sample } from '../trials/sample.js';
import { otherVersion } from './info.js';

/** A trial the report refuses to use. */
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
    return `the clock of ${host.name} steps by ${step} ns (more than ${maxClockStepNs} ns)`;
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
  lines.forEach((content, index) => {
    if (content.trim() !== '') readLine(content, index + 1, path, result);
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

function readLine(content: string, line: number, path: string, result: ParsedSamples): void {
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(content) as Record<string, unknown>;
  } catch {
    throw new Error(`${path} line ${line} is not JSON: restore it or delete the line`);
  }
  if (raw.schemaVersion !== SCHEMA_VERSION) throw new Error(otherVersion(path, raw.schemaVersion));
  const cell = Object.entries((raw.cell as Loose) ?? {})
    .map(([name, level]) => `${name}=${level}`)
    .join(' ');
  const reason = refusal(raw);
  if (reason) {
    result.refused.push({ line, cell, reason });
    return;
  }
  const parsed = sample.safeParse(raw);
  if (parsed.success) {
    result.samples.push(parsed.data);
    return;
  }
  result.refused.push({ line, cell, reason: firstIssue(parsed.error) });
}
