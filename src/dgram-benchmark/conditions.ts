/** What may be asked of a datagram benchmark (`--threshold`), and what its result says. */
import {
  type Condition,
  conditionsOf,
  type Judgement,
  judge,
  type Vocabulary,
} from '../contract/conditions.js';
import type { DgramResult } from '../contract/dgram.js';
import { decodeHistogram } from '../load/histogram.js';

export const dgramVocabulary = {
  mean: 'time',
  max: 'time',
  jitter: 'time',
  /** 99th percentile of how late datagrams were sent */
  lag: 'time',
  /** of what was sent */
  loss: 'share',
  /** lost, from a port that was not asked, or refused by the kernel; of what was sent */
  errors: 'share',
  /** replies over what was due; of an open loop */
  achieved: 'share',
  /** replies per second; requests is autocannon's name of it */
  rate: 'number',
  requests: 'number',
  lost: 'number',
  late: 'number',
  reordered: 'number',
  duplicates: 'number',
  mismatches: 'number',
  /** refused by the kernel, or by a closed port */
  failures: 'number',
} as const satisfies Vocabulary;

export const dgramConditions = (text: string): Condition[] => conditionsOf(text, dgramVocabulary);

/** What was called errors before there was a share of that name. */
const wasErrors = /^\s*errors(?=\s*[<>]=?\s*\d+\s*$)/;

/** As `--fail-if` has always read it. */
export const oldName = (text: string): string => text.replace(wasErrors, 'failures');

const ns = (ms: number) => ms * 1e6;

export function judgeDatagrams(conditions: readonly Condition[], result: DgramResult): Judgement[] {
  const { latency, lost, late, reordered, duplicates, mismatches, schedule, sent, received } = result;
  const time = (ms: number) => (received > 0 ? ns(ms) : Number.POSITIVE_INFINITY);
  const rate = result.requests.average;
  const figures: Record<keyof typeof dgramVocabulary, number | null> = {
    mean: time(latency.mean),
    max: time(latency.max),
    jitter: ns(result.jitter),
    lag: ns(schedule.lagP99),
    loss: result.lossRate,
    errors: (lost + result.foreign + result.sendErrors) / Math.max(1, sent + result.sendErrors),
    achieved: schedule.offered === null ? null : received / Math.max(1, schedule.offered * result.duration),
    ...{ rate, requests: rate, lost, late, reordered, duplicates, mismatches },
    failures: result.errors,
  };
  const histogram = decodeHistogram(result.histograms.latency);
  return judge(
    conditions,
    ({ metric, percentile }) =>
      percentile === null
        ? figures[metric as keyof typeof dgramVocabulary]
        : received > 0
          ? histogram.getValueAtPercentile(percentile)
          : Number.POSITIVE_INFINITY,
    result.reasons,
  );
}
