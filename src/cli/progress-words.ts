/** What progress events are in words, in a log and on a terminal. */
import { cellLabel } from '../analysis/cells.js';
import type { RunEvent } from '../contract/run.js';

export type EventOf<Name extends RunEvent['event']> = Extract<RunEvent, { event: Name }>;

/** 75000 -> '1:15' */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** What a finished trial has to say, in one line. */
export function outcome({ status, error, gates, figures }: EventOf<'trial-end'>): string {
  const doubts = gates.length > 0 ? ` (${gates.join('; ')})` : '';
  return status === 'ok' ? figures + doubts : `${status}: ${error ?? figures}${doubts}`;
}

/** What is not named is this machine. */
const on = (host: string) => (host === 'local' ? '' : ` on ${host}`);

export const cellOf = ({ cell, host }: EventOf<'trial-start'> | EventOf<'trial-end'>) =>
  `${cellLabel(cell)}${on(host)}`;

export const placeOf = (event: EventOf<'trial-start'> | EventOf<'round'>, cells: number) =>
  event.event === 'round'
    ? `block ${event.block + 1}`
    : `block ${event.block + 1}, trial ${event.position} of ${cells}`;

/** 'epoll · ts batch, idle 1000', or 'round 2 of 3 over 16 servers' */
export function nowOf(event: EventOf<'trial-start'> | EventOf<'round'>): string {
  if (event.event === 'trial-start') return cellOf(event);
  const there = on(event.host);
  return event.round === 0
    ? `${event.cells} servers are started${there}, with their idle connections, and warmed up`
    : `round ${event.round} of ${event.rounds} over ${event.cells} servers that stand together${there}`;
}
