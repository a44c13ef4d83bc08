/** Doubts about an emulated link: whether it did what was asked of it. */
import type { EmulatedLink, LinkReport } from '../contract/link.js';
import type { Gate, Span } from '../contract/sample.js';
import { percent, warning } from './gates.js';

/** Of a delay, on average; half of it each way is what a figure of a round trip may be off by. */
const lateNs = 250_000;
/** A relay that works for more of the time than this carries no more packets. */
const busyRelay = 0.9;

const names = { up: 'to the server', down: 'to the client' } as const;

export function linkDoubts(
  link: EmulatedLink,
  report: LinkReport | undefined,
  spans: readonly Span[],
): Gate[] {
  const directions = (['up', 'down'] as const).flatMap((direction): Gate[] => {
    const { overflowed = null, lateness = null } = report?.[direction] ?? {};
    return [
      ...(overflowed
        ? [
            warning(
              'link-queue',
              `the link dropped ${overflowed} packets ${names[direction]}, because it holds at most ${link[direction].limitPackets}`,
            ),
          ]
        : []),
      ...(lateness && lateness.meanNs > lateNs
        ? [
            warning(
              'link-late',
              `the link passed packets ${names[direction]} on ${(lateness.meanNs / 1000).toFixed(0)} µs later than asked, on average`,
            ),
          ]
        : []),
    ];
  });
  const busy = spans.map(({ link: used, before, after }) =>
    used ? (used.cpuUs * 1000) / (after.monotonicNs - before.monotonicNs) : 0,
  );
  const busiest = Math.max(0, ...busy);
  return [
    ...directions,
    ...(busiest > busyRelay
      ? [
          warning(
            'link-busy',
            `what emulates the link was ${percent(busiest)} busy, so that it may have been the limit`,
          ),
        ]
      : []),
  ];
}
