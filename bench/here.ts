/** This machine as the host of a benchmark. Whoever uses it closes it at its end; its programs end with this process. */
import { openLocal } from '../src/hosts/local.js';
import type { Site } from '../src/stage/on-stage.js';
import { places } from '../src/stage/places.js';

const stopped = new AbortController();
process.once('SIGINT', () => stopped.abort(new Error('interrupted')));

export const roles = await openLocal();
export const pinning = places(roles.server.look, roles.client.look);
export const site: Site = { roles, signal: stopped.signal, pinning };

/** For tables: which CPUs the figures are from. */
export const onCpus = (): string =>
  `server on CPU ${pinning.server}, client on CPU ${pinning.client}` +
  (pinning.shared ? ' - SHARED: the figures mean little' : '');
