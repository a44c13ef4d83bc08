/**
 * Pollers for an event loop of one's own: select, poll, epoll, kqueue and their relatives behind one interface, and the
 * sockets to go with them. Experimental: what is here may change with any version.
 *
 *     import { Event, Flag, Interest, openPoller, Sockets } from 'dispatchbench/experimental/poller';
 *
 * `turn` blocks its thread, and with it Node's own loop: such a loop belongs in a process or Worker of its own. The native
 * part has to be there (`dispatchbench build`). An echo server: docs/how-to/own-event-loop.md.
 */
export type { BackendName } from '../contract/common.js';
export type { Capabilities, Counters } from '../contract/server.js';
export {
  Change,
  Event,
  Flag,
  Interest,
  openPoller,
  Poller,
  type PollerOptions,
  REARM,
} from '../dispatch/poller.js';
export {
  type BackendProbe,
  BackendUnavailableError,
  listBackends,
  nodeBackend,
} from '../dispatch/registry.js';
export { acceptAgain, outOfDescriptors, Sockets, wouldBlock } from '../dispatch/sockets.js';
