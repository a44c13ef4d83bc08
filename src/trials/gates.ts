/**
 * Doubts that several kinds share: gates make a trial invalid (it stays in the file and is shown, but no verdict uses
 * it), warnings do not. Pure functions of what was measured; each rule's reason stands beside it.
 */

import type { LoadFigures } from '../contract/load.js';
import type { Gate, Span } from '../contract/sample.js';
import { busyLimit, edgeReplies } from '../load/saturation.js';
import { counted } from '../number.js';
import { steadyFrom } from '../statistics/change-points.js';
import { decodeHistogram } from '../statistics/histogram.js';
import type { Link } from './kind.js';
import { busyServer, serverBusyShare } from './served.js';

const heldShare = 0.99;

export const invalid = (id: string, message: string): Gate => ({ id, invalidates: true, message });
export const warning = (id: string, message: string): Gate => ({ id, invalidates: false, message });
export const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;

export const losesPackets = (link: Link): boolean =>
  link !== null && link.up.lossShare + link.down.lossShare > 0;

/** What is not answered may be the link's doing: it loses packets, or carries no more of them. */
const holdsBack = (link: Link): boolean =>
  losesPackets(link) || (link?.up.bitsPerSecond ?? link?.down.bitsPerSecond ?? null) !== null;

/** What was offered and what came of it, however it was offered. */
export interface Offer {
  /** requests per second by the schedule; null in closed loop */
  offeredRate: number | null;
  achievedRate: number;
  windowNs: number;
  replies: number;
  /** of the client's load thread, 0..1 */
  busyShare: number;
  /** the client's own doubts */
  saturation: readonly string[];
}

export const offerOf = ({ client, ...load }: LoadFigures): Offer => ({
  ...load,
  busyShare: client.busyShare,
});

/**
 * Whose limit is the figure, as long as the link is not it? A server that is over 90 % busy is at its own limit, whatever
 * the client says of itself: client and server drive each other, and beside a saturated server a client is often busy as
 * well, polling small batches. Only when the server had time to spare does a busy or late client mean that the client set
 * the figure.
 */
export function saturation(name: string, span: Span, offer: Offer, link: Link): Gate[] {
  const server = serverBusyShare(span);
  const due = ((offer.offeredRate ?? 0) * offer.windowNs) / 1e9;
  const behind = due - offer.replies > Math.max(edgeReplies, (1 - heldShare) * due);
  const rates = `${offer.achievedRate.toFixed(0)} of ${offer.offeredRate?.toFixed(0)} requests/s`;
  if (server >= busyServer) {
    // In an open loop a server without a pause has a queue before it: CPU per request is one second over the rate, and
    // latency is how long the window was, whether all was answered or not.
    return offer.offeredRate === null
      ? []
      : [
          warning(
            'overload',
            `${name}: the server, ${percent(server)} busy, answered ${rates}: latency and cost are those of overload`,
          ),
        ];
  }
  const idle = `while the server was only ${percent(server)} busy`;
  if (behind && holdsBack(link))
    return [
      warning(
        'link-limit',
        `${name}: ${rates} were answered ${idle}, over a link that loses packets or has a rate`,
      ),
    ];
  if (behind) return [invalid('behind-schedule', `${name}: ${rates} were answered ${idle}`)];
  if (offer.busyShare > busyLimit) {
    return [invalid('client-saturated', `${name}: the client was ${percent(offer.busyShare)} busy ${idle}`)];
  }
  return offer.saturation.length > 0
    ? [invalid('client-saturated', `${name}: the client says ${offer.saturation.join('; ')} ${idle}`)]
    : [];
}

/**
 * In a closed loop somebody is at the limit, or something else held both up: a sleeping CPU, another program, a timer.
 * An emulated link is meant to.
 * @param clientBusy busy share of the client's load thread
 */
export function nobodysLimit(name: string, span: Span, clientBusy: number, link: Link): Gate[] {
  const server = serverBusyShare(span);
  if (server >= busyServer || clientBusy >= busyServer) return [];
  if (link)
    return [
      warning(
        'link-limit',
        `${name}: server ${percent(server)} and client ${percent(clientBusy)} busy: the link set the pace`,
      ),
    ];
  return [
    invalid(
      'nobodys-limit',
      `${name}: server ${percent(server)} and client ${percent(clientBusy)} busy: something else was the limit`,
    ),
  ];
}

/** What went wrong with requests: failures of any kind, and those that only took too long. */
export interface Failures {
  open: boolean;
  timeouts: number;
  others: Readonly<Record<string, number>>;
  replies: number;
}

/**
 * On loopback every request has its reply; any error means that something else was measured. Only what an open loop
 * asks beyond a busy server's power has to time out: that is the overload itself. So has what a link lost.
 */
export function errors(
  name: string,
  span: Span,
  { open, timeouts, others, replies }: Failures,
  link: Link,
): Gate[] {
  const overloaded = open && serverBusyShare(span) >= busyServer;
  const lost = !overloaded && holdsBack(link);
  const seen = Object.entries({ timeout: overloaded || lost ? 0 : timeouts, ...others }).filter(
    ([, count]) => count > 0,
  );
  return [
    ...(overloaded && timeouts > 0
      ? [
          warning(
            'overload-timeouts',
            `${name}: ${counted(timeouts, 'request')} timed out at the overloaded server`,
          ),
        ]
      : []),
    ...(lost && timeouts > 0
      ? [
          warning(
            'link-timeouts',
            `${name}: ${counted(timeouts, 'request')} timed out over a link that loses packets or has a rate`,
          ),
        ]
      : []),
    ...(seen.length > 0
      ? [
          invalid(
            'errors',
            `${name}: the client counted errors: ${seen.map(([kind, count]) => `${count} ${kind}`).join(', ')}`,
          ),
        ]
      : []),
    ...(replies === 0 ? [invalid('no-replies', `${name}: no reply came within the window`)] : []),
  ];
}

/** Share of the values in a range, and what its neighbours would have it be: a mode stands out of them. */
function modeOf(histogram: string, [from, to]: readonly [number, number], besideMs: number) {
  const { values, counts, total } = decodeHistogram(histogram);
  const share = (fromMs: number, toMs: number) =>
    values.reduce((sum, ns, row) => (ns >= fromMs * 1e6 && ns < toMs * 1e6 ? sum + counts[row]! : sum), 0) /
    total;
  const mode = share(from, to);
  return { mode, standsOut: mode >= 3 * (share(from - besideMs, from) + share(to, to + besideMs)) };
}

/**
 * A mode at 40 ms that its neighbours do not have is the kernel's delayed-acknowledgement timer, not the server. Its tick
 * is up to 4 ms, and a busy machine adds to that. A link's delay adds to it as well.
 */
export function delayedAcks(name: string, histogram: string, link: Link): Gate[] {
  const wayMs = link ? (link.up.delayNs + link.down.delayNs) / 1e6 : 0;
  const [from, to] = [39 + wayMs, 49 + wayMs];
  const { mode, standsOut } = modeOf(histogram, [from, to], 10);
  if (!(mode >= 0.01) || !standsOut) return [];
  return [
    invalid(
      'delayed-ack',
      `${name}: ${percent(mode)} of the replies took ${from} to ${to} ms, the delayed-ACK timer of the kernel`,
    ),
  ];
}

/** A SYN that nobody answered is sent again after 1 s, then 2 s, then 4 s; the kernel's timers are up to a tenth late. */
const repeatedAfterS = [1, 3, 7] as const;

/**
 * Connections that stood after just these times were dropped and asked for again: a full listen queue, whether the
 * kernel's counters could be read or not.
 */
export function repeatedConnects(name: string, histogram: string): Gate[] {
  const seen = repeatedAfterS.filter((seconds) => {
    const { mode, standsOut } = modeOf(histogram, [990 * seconds, 1100 * seconds], 300);
    return mode > 0 && standsOut;
  });
  if (seen.length === 0) return [];
  return [
    warning(
      'repeated-connect',
      `${name}: connections stood after ${seen.join(' and ')} s, when the kernel repeats a request that was dropped`,
    ),
  ];
}

/** No response takes no time: what reads 0 was below the clock's resolution, and a percentile of it is that of the clock. */
export function zeroLatencies(name: string, histogram: string): Gate[] {
  const { values, counts, total } = decodeHistogram(histogram);
  const zeros = values.reduce((sum, ns, row) => (ns <= 0 ? sum + counts[row]! : sum), 0) / total;
  return zeros > 0.01
    ? [
        invalid(
          'zero-latency',
          `${name}: ${percent(zeros)} of the response times read 0, which is the clock's doing`,
        ),
      ]
    : [];
}

/** A rate that another segment has by less than this is the same to whoever reads the figure. */
const sameRate = 0.1;
/** Fewer values have no segments. */
const leastValues = 10;

/**
 * Where replies were counted in equal parts of the window: was it warm from the start? A rate that steps up or down
 * within it belongs to neither state.
 */
export function warmUp(name: string, span: Span, replies: readonly number[]): Gate[] {
  // Before an overloaded server the queue's end is a step of its own.
  if (replies.length < leastValues || serverBusyShare(span) >= busyServer) return [];
  const steady = steadyFrom(replies);
  const mean = (part: readonly number[]) => part.reduce((sum, one) => sum + one, 0) / part.length;
  if (steady === 0) return [];
  if (
    steady !== null &&
    Math.abs(mean(replies.slice(0, steady)) / mean(replies.slice(steady)) - 1) < sameRate
  )
    return [];
  const when =
    steady === null
      ? 'still changed at its end'
      : `was steady only from part ${steady + 1} of ${replies.length}`;
  return [warning('warm-up', `${name}: the rate of replies ${when}`)];
}
