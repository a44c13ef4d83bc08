/** samples.ndjson as text -> samples, with what had to be left out and why. */
import { type Sample, sample } from '../contract/sample.js';

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

/** @throws Error in one sentence when the file as a whole cannot be used */
export function parseSamples(text: string): ParsedSamples {
  const lines = text.split('\n');
  // A complete file ends in a line feed; what follows the last one is the line a crash cut short.
  const cut = lines.pop()!;
  const result: ParsedSamples = { samples: [], refused: [], notices: [] };
  lines.forEach((content, index) => {
    if (content.trim() !== '') readLine(content, index + 1, result);
  });
  if (cut !== '') {
    result.notices.push(
      `The last line of samples.ndjson (line ${lines.length + 1}) was cut short and is left out.`,
    );
  }
  if (result.samples.length === 0) {
    const [first] = result.refused;
    throw new Error(
      first
        ? `no sample of this run can be used: line ${first.line}: ${first.reason}`
        : 'samples.ndjson holds no sample yet: let the run finish a trial first',
    );
  }
  return result;
}

function readLine(content: string, line: number, result: ParsedSamples): void {
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(content) as Record<string, unknown>;
  } catch {
    throw new Error(`samples.ndjson line ${line} is not JSON: restore it or delete the line`);
  }
  if (raw.schemaVersion !== 1) {
    throw new Error(
      `samples.ndjson line ${line} has schema version ${raw.schemaVersion ?? 'none'}, this dispatchbench reads version 1: use the one that wrote it`,
    );
  }
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
  const [issue] = parsed.error.issues;
  result.refused.push({ line, cell, reason: `${issue!.path.join('.')}: ${issue!.message}` });
}
