/** A real wrk: its arguments, and what it prints. Pure functions. */
import type { WrkFigures } from '../contract/clients.js';
import { printable } from '../contract/printable.js';
import { type HostPort, targetText } from '../options.js';

export interface WrkSpec {
  target: HostPort;
  path: string;
  connections: number;
  threads: number;
  /** wrk takes whole seconds */
  durationS: number;
  /** a reply that takes longer is an error, and is missing in its latencies */
  timeoutS: number;
}

/** The argument list; an array for spawn, never read by a shell. */
export const wrkArguments = (spec: WrkSpec): string[] => [
  ...['--threads', `${Math.min(spec.threads, spec.connections)}`],
  ...['--connections', `${spec.connections}`],
  ...['--duration', `${Math.max(1, Math.round(spec.durationS))}s`],
  ...['--timeout', `${spec.timeoutS}s`],
  '--latency',
  `http://${targetText(spec.target)}${spec.path}`,
];

const milliseconds = { us: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 } as const;
const bytes = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 } as const;

function scaled<Units extends Record<string, number>>(units: Units, text: string): number {
  const match = /^(-?[\d.]+)(\w+)$/.exec(text);
  const factor = match ? units[match[2]!] : undefined;
  // It prints -nan where there was no reply.
  return match && factor !== undefined ? Math.max(0, Number(match[1])) * factor : 0;
}

/** @throws Error naming the line that is missing, with the end of the text */
export function parseWrk(text: string): WrkFigures {
  const fields = (label: string, pattern: RegExp): string[] => {
    const match = pattern.exec(text);
    if (!match) {
      const end = text.trim().split('\n').slice(-2).map(printable).join(' | ');
      throw new Error(`wrk's output has no '${label}' line; it ends with: ${end || '(nothing)'}`);
    }
    return match.slice(1);
  };
  const time = (value: string) => scaled(milliseconds, value);
  const [mean, stddev, max] = fields('Latency', /^\s+Latency\s+(\S+)\s+(\S+)\s+(\S+)/m).map(time);
  const at = (percent: number) =>
    time(fields(`${percent}%`, new RegExp(`^\\s+${percent}(?:\\.0+)?%\\s+(\\S+)`, 'm'))[0]!);
  const [requests, duration, read] = fields('requests in', /^\s+(\d+) requests in (\S+), (\S+) read/m);
  const [connect = 0, reading = 0, writing = 0, timeout = 0] = (
    /^\s+Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/m.exec(text) ?? []
  )
    .slice(1)
    .map(Number);
  const status = Number(/^\s+Non-2xx or 3xx responses: (\d+)/m.exec(text)?.[1] ?? 0);
  return {
    requests: Number(requests),
    durationNs: time(duration!) * 1e6,
    bytesRead: scaled(bytes, read!),
    latencyMs: { mean: mean!, stddev: stddev!, max: max!, p50: at(50), p90: at(90), p99: at(99) },
    errors: { connect, read: reading, write: writing, timeout, status },
  };
}
