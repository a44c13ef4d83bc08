/** Whether what a load machine says it measured can be so. A pure function. */
import type { SessionResult, SessionSpec } from '../contract/ramp.js';
import { decodeHistogram } from '../load/histogram.js';
import { counted } from '../number.js';

/** @returns one sentence on what is wrong, or null */
export function checkPart({ connections, requests, replies, detail }: SessionResult, asked: SessionSpec) {
  if (connections > asked.connections)
    return `it started ${counted(connections, 'connection')} where ${asked.connections} were asked`;
  if (requests > connections * asked.calls)
    return `${counted(connections, 'connection')} made ${counted(requests, 'request')} where ${asked.calls} on each were asked`;
  if (replies > requests)
    return `${counted(requests, 'request')} had ${counted(replies, 'reply', 'replies')}`;
  for (const name of ['response', 'connect', 'startLag'] as const) {
    const figures = detail?.[name];
    if (!figures) continue;
    try {
      const { totalCount } = decodeHistogram(figures.histogram);
      if (totalCount !== figures.count)
        return `detail.${name} counts ${figures.count} and its histogram ${totalCount}`;
    } catch (error) {
      return `detail.${name} is ${(error as Error).message}`;
    }
  }
  return null;
}
