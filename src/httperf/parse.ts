/** Reads what httperf 0.8 and 0.9 print at the end of a run. A pure function of the text. */
import { printable } from '../contract/printable.js';
import { type Failures, failureKinds, type SessionResult } from '../contract/ramp.js';

/** httperf samples the reply rate every five seconds, and has no sample at all in a shorter run. */
const HTTPERF_SAMPLE_S = 5;

/** @throws Error naming the first line that is missing or holds no numbers, with the end of the text */
export function parseHttperf(text: string): SessionResult {
  const numbers = (label: string, pattern: RegExp): number[] => {
    const match = pattern.exec(text);
    const figures = match?.slice(1).map(Number) ?? [];
    if (!match || !figures.every(Number.isFinite)) {
      const end = text.trim().split('\n').slice(-2).map(printable).join(' | ');
      throw new Error(`httperf's output has no '${label}' line; it ends with: ${end || '(nothing)'}`);
    }
    return figures;
  };
  const [connections, requests, replies, durationS] = numbers(
    'Total:',
    /^Total: connections (\d+) requests (\d+) replies (\d+) test-duration ([\d.]+) s/m,
  );
  const [maxConcurrent] = numbers('Connection rate:', /^Connection rate: .*<=(\d+) concurrent/m);
  const [connectMs] = numbers('Connection time: connect', /^Connection time \[ms\]: connect ([\d.]+)/m);
  // The thesis prints "avq" (a slip of the pen); real output says "avg".
  const [min, avg, max, stddev, samples] = numbers(
    'Reply rate',
    /^Reply rate \[replies\/s\]: min ([\d.]+) av[gq] ([\d.]+) max ([\d.]+) stddev ([\d.]+) \((\d+) samples\)/m,
  );
  const [responseMs, transferMs] = numbers(
    'Reply time',
    /^Reply time \[ms\]: response ([\d.]+) transfer ([\d.]+)/m,
  );
  const status = numbers('Reply status', /^Reply status: 1xx=(\d+) 2xx=(\d+) 3xx=(\d+) 4xx=(\d+) 5xx=(\d+)/m);
  const [userS, systemS] = numbers('CPU time', /^CPU time \[s\]: user ([\d.]+) system ([\d.]+)/m);
  const [netKBps] = numbers('Net I/O', /^Net I\/O: ([\d.]+) KB\/s/m);
  const counts = numbers(
    'Errors:',
    /^Errors: total \d+ client-timo (\d+) socket-timo (\d+) connrefused (\d+) connreset (\d+)\s+Errors: fd-unavail (\d+) addrunavail (\d+) ftab-full (\d+) other (\d+)/m,
  );
  return {
    event: 'result',
    client: 'httperf',
    connections: connections!,
    requests: requests!,
    replies: replies!,
    durationS: durationS!,
    maxConcurrent: maxConcurrent!,
    connectMs: connectMs!,
    responseMs: responseMs!,
    transferMs: transferMs!,
    replyRate: {
      min: min!,
      avg: avg!,
      max: max!,
      stddev: stddev!,
      samples: samples!,
      intervalS: HTTPERF_SAMPLE_S,
    },
    status: status as SessionResult['status'],
    netKBps: netKBps!,
    failures: Object.fromEntries(failureKinds.map((kind, index) => [kind, counts[index]!])) as Failures,
    cpu: { userS: userS!, systemS: systemS! },
    detail: null,
  };
}
