/**
 * Runs a TypeScript server on a completion engine, from hello to farewell: the protocols of the other servers in TypeScript,
 * with one crossing and one system call per turn. What a connection is doing is the engine's business.
 */

import type { Counters } from '../src/contract/server.js';
import { CompletionEngine } from '../src/dispatch/completion.js';
import { EngineDatagrams } from './completion-datagrams.js';
import type { EngineService } from './completion-service.js';
import { EngineStreams } from './completion-streams.js';
import { PolledControl } from './control.js';
import { helloOf } from './hello.js';
import { Http } from './http.js';
import { RECEIVE_FROM, sockets } from './io-desk.js';
import { nativeArguments } from './io-native.js';
import type { ServerOptions } from './options.js';
import { printLine, Statistics } from './statistics.js';
import { Echo } from './tcp-echo.js';

export function serveCompletion(options: ServerOptions, args: readonly string[]): void {
  if (options.impl !== 'ts')
    throw new Error(`'${options.impl}' picks its mechanism itself: --engine is for ts`);
  if (options.io !== 'batch') throw new Error(`all of a turn crosses together on an engine: --io batch`);
  const statistics = Statistics.forPoller();
  const engine = new CompletionEngine(nativeArguments(args), options.budgets.maxEvents * 2, RECEIVE_FROM);
  /** Prints a line with what the engine counted. */
  const print = (line: (counters: Counters) => Parameters<typeof printLine>[0]) => {
    const { counters, refused, accepted, closed, bytesIn, bytesOut } = engine.counts();
    const { rejected } = statistics;
    Object.assign(statistics, { accepted, closed, bytesIn, bytesOut, rejected: rejected + refused });
    service.count();
    printLine(line(counters));
    statistics.rejected = rejected;
  };
  const control = new PolledControl(options.control, (id) =>
    print((counters) => statistics.snapshot(id, counters)),
  );
  for (const fd of control.descriptors) engine.watch(fd);
  const service = serviceOf(engine, options, statistics, control);
  printLine(helloOf(options, null, service.bound, engine.facts));
  for (let replies = 0; control.lines.reason === null; ) {
    const count = engine.turn(replies, -1);
    statistics.countWait(count);
    replies = service.take(count);
  }
  const { reason } = control.lines;
  print((counters) => statistics.farewell(reason, counters));
}

function serviceOf(
  engine: CompletionEngine,
  { protocol, backlog, ports }: ServerOptions,
  statistics: Statistics,
  control: PolledControl,
): EngineService {
  const bound = sockets.socketAddress(engine.listener);
  if (protocol === 'udp-echo') return new EngineDatagrams(engine, control, statistics, { ...bound, ports });
  const answers =
    protocol === 'http' ? new Http(engine.slab, statistics, engine.slots) : new Echo(statistics);
  return new EngineStreams(engine, control, answers, {
    ...bound,
    backlog: sockets.tcpBacklog(engine.listener, backlog),
    congestionControl: sockets.tcpWithoutPacing(engine.listener),
  });
}
