/**
 * Runs a TypeScript server on a completion engine, from hello to farewell: the protocols of the other servers in TypeScript,
 * with one crossing and one system call per turn. What a connection is doing is the engine's business.
 */

import type { Counters } from '../src/contract/server.js';
import { CONTROL, CompletionEngine, GONE, RECEIVED, Row } from '../src/dispatch/completion.js';
import { PolledControl } from './control.js';
import { helloOf } from './hello.js';
import { Http } from './http.js';
import { RECEIVE_FROM, sockets } from './io-desk.js';
import { nativeArguments } from './io-native.js';
import type { ServerOptions } from './options.js';
import type { StreamProtocol } from './protocol.js';
import { printLine, Statistics } from './statistics.js';
import { Echo } from './tcp-echo.js';

export function serveCompletion(options: ServerOptions, args: readonly string[]): void {
  if (options.impl !== 'ts')
    throw new Error(`'${options.impl}' picks its mechanism itself: --engine is for ts`);
  if (options.io !== 'batch') throw new Error(`all of a turn crosses together on an engine: --io batch`);
  if (options.protocol === 'udp-echo') {
    throw new Error('datagrams on an engine are served natively: use --impl native, or --io native');
  }
  const statistics = Statistics.forPoller();
  const engine = new CompletionEngine(nativeArguments(args), options.budgets.maxEvents * 2, RECEIVE_FROM);
  /** Prints a line with what the engine counted. */
  const print = (line: (counters: Counters) => Parameters<typeof printLine>[0]) => {
    const { counters, refused, ...counts } = engine.counts();
    const { rejected } = statistics;
    Object.assign(statistics, counts, { rejected: rejected + refused });
    printLine(line(counters));
    statistics.rejected = rejected;
  };
  const control = new PolledControl(options.control, (id) =>
    print((counters) => statistics.snapshot(id, counters)),
  );
  for (const fd of control.descriptors) engine.watch(fd);
  const protocol =
    options.protocol === 'http' ? new Http(engine.slab, statistics, engine.slots) : new Echo(statistics);
  printLine(
    helloOf(
      options,
      null,
      {
        ...sockets.socketAddress(engine.listener),
        backlog: sockets.tcpBacklog(engine.listener, options.backlog),
        congestionControl: sockets.tcpWithoutPacing(engine.listener),
      },
      engine.facts,
    ),
  );
  const ending = new Uint8Array(engine.slots);
  for (let replies = 0; control.lines.reason === null; ) {
    const count = engine.turn(replies, -1);
    statistics.countWait(count);
    replies = answer(engine, count, protocol, control, ending);
  }
  const { reason } = control.lines;
  print((counters) => statistics.farewell(reason, counters));
}

/**
 * Takes the rows of a turn.
 * @param ending by slot: the last reply was given, and what comes behind its request is not looked at
 * @returns how many replies wait for the next turn
 */
function answer(
  engine: CompletionEngine,
  count: number,
  protocol: StreamProtocol,
  control: PolledControl,
  ending: Uint8Array,
): number {
  const { rows } = engine;
  let replies = 0;
  protocol.recycle(); // what was put together for the last turn has been sent
  for (let row = 0, at = 0; row < count; row++, at += Row.words) {
    const slot = rows[at + Row.slot]!;
    switch (rows[at + Row.kind]) {
      case RECEIVED: {
        if (ending[slot] !== 0) break;
        const length = rows[at + Row.length]!;
        if (!protocol.hasRoom(length)) {
          engine.keep(replies);
          replies = 0;
          protocol.recycle();
        }
        protocol.answer(slot, rows[at + Row.offset]!, length);
        if (protocol.replyLength > 0 || protocol.replyCloses) {
          if (protocol.replyCloses) ending[slot] = 1;
          engine.reply(replies++, slot, protocol.replyOffset, protocol.replyLength, protocol.replyCloses);
        }
        break;
      }
      case GONE:
        protocol.forget(slot);
        ending[slot] = 0;
        break;
      case CONTROL:
        control.onReadable(slot);
        break;
    }
  }
  return replies;
}
