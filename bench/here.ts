/**
 * The host of a benchmark: this machine, or what `--host` says where a benchmark takes it (those that put other people's
 * programs beside ours run here only). Whoever uses it closes it at its end; its programs end with this process.
 */
import { parseArgs } from 'node:util';
import { openHost } from '../src/hosts/registry.js';
import type { Site } from '../src/stage/on-stage.js';
import { places } from '../src/stage/places.js';

/** For the options of a benchmark, which parses them strictly. */
export const hostOption = { host: { type: 'string', default: 'local' } } as const;

const { values } = parseArgs({ options: hostOption, strict: false });
const stopped = new AbortController();
process.once('SIGINT', () => stopped.abort(new Error('interrupted')));

export const roles = await openHost(String(values.host));
export const pinning = places(roles.server.look, roles.client.look);
export const site: Site = { roles, signal: stopped.signal, pinning };

/** For tables: which CPUs the figures are from. */
export const onCpus = (): string =>
  `host ${roles.name}, server on CPU ${pinning.server}, client on CPU ${pinning.client}` +
  (pinning.shared ? ' - SHARED: the figures mean little' : '');
