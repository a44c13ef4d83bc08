/** Runs a TypeScript server on one of our pollers, from hello to farewell. The thread blocks in the poller. */
import { openPoller } from '../src/dispatch/poller.js';
import { descriptorLimit } from '../src/process.js';
import { PolledControl } from './control.js';
import { helloOf } from './hello.js';
import { Http } from './http.js';
import { BATCH, BatchIo } from './io-batch.js';
import { CallIo } from './io-call.js';
import { IoDesk } from './io-desk.js';
import type { PolledOptions } from './options.js';
import { printLine, Statistics } from './statistics.js';
import { Echo } from './tcp-echo.js';
import { TcpServer } from './tcp-server.js';

/** Tables by slot end here however high the limit of descriptors is. */
const MOST_SLOTS = 1 << 20;

export function servePolled(options: PolledOptions): void {
  const { backend, budgets, leastWait } = options;
  const statistics = Statistics.forPoller();
  // A turn re-arms at most one descriptor per event, and the ones requeued before.
  const slots = Math.min(descriptorLimit().soft, MOST_SLOTS);
  const poller = openPoller({
    ...{ backend, leastWait },
    maxEvents: budgets.maxEvents,
    maxChanges: budgets.maxEvents + 16,
  });
  const control = new PolledControl(options.control, (id) =>
    printLine(statistics.snapshot(id, poller.counters())),
  );
  const desk = new IoDesk(options.io === 'batch' ? BATCH : {});
  const protocol =
    options.protocol === 'http' ? new Http(desk.slab, statistics, slots) : new Echo(statistics);
  const server = new TcpServer(poller, control, desk, protocol, statistics, options, slots);
  server.io = options.io === 'batch' ? new BatchIo(server) : new CallIo(server);
  printLine(helloOf(options, poller.capabilities, server.open()));
  while (control.lines.reason === null) server.turn();
  printLine(statistics.farewell(control.lines.reason, poller.counters()));
}
