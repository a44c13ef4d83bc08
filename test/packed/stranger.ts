/** Uses every export as somebody else's program does; scripts/packed-install.mjs compiles it beside an installed package. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setImmediate as turnOfNode } from 'node:timers/promises';
import {
  type CellFigure,
  type ClaimVerdict,
  compare,
  figures,
  judge,
  meanInterval,
  type RunComparison,
  readRun,
  type Sample,
  verdicts,
} from 'dispatchbench/analysis';
import { type DgramInput, type DgramResult, dgramBenchmark } from 'dispatchbench/dgram-benchmark';
import {
  Event,
  Interest,
  nodeBackend,
  openPoller,
  Sockets,
  wouldBlock,
} from 'dispatchbench/experimental/poller';
import {
  differentialGraph,
  type FlameGraph,
  flameGraph,
  flamePage,
  flameSvg,
  parseFolded,
} from 'dispatchbench/flame';
import {
  decodeHistogram,
  holdIdle,
  type LoadEvent,
  type LoadResult,
  load,
  mergeLatencies,
} from 'dispatchbench/load';
import { comparisonText, summaryCsv, terminalText, writeReport } from 'dispatchbench/report';
import { experiments, type PlanInput, type RunEnd, type RunEvent, run } from 'dispatchbench/run';
import server from 'dispatchbench/schemas/server-line' with { type: 'json' };

/** Not assignable from false where a type has got lost. */
type IsAny<T> = 0 extends 1 & T ? true : false;
type Typed<All extends readonly unknown[]> = { [At in keyof All]: IsAny<All[At]> };
type Results = [
  LoadResult,
  LoadResult['latency'],
  LoadEvent,
  RunEvent,
  RunEnd,
  PlanInput,
  Sample,
  DgramResult,
];
type Others = [
  CellFigure,
  ClaimVerdict,
  RunComparison,
  FlameGraph,
  DgramInput,
  Sample['measurements'][string],
];
const typed: [Typed<Results>, Typed<Others>] = [
  [false, false, false, false, false, false, false, false],
  [false, false, false, false, false, false],
];

async function useDgramBenchmark(): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (message, { port, address }) => socket.send(message, port, address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const url = `127.0.0.1:${socket.address().port}`;
  const result: DgramResult = await dgramBenchmark({ url, engine: 'js', overallRate: 100, duration: 0.2 });
  socket.close();
  assert.ok(result.received > 0);
}

async function useLoad(): Promise<void> {
  const echo = createServer((socket) => socket.pipe(socket).on('error', () => {}));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const url = `tcp://127.0.0.1:${(echo.address() as AddressInfo).port}`;
  const held = await holdIdle({ url, connections: 5 });
  assert.equal(held.status().standing, 5);
  const events: string[] = [];
  const result = await load({
    ...{ url, connections: 2, rate: 500, durationMs: 200, warmupMs: 0 },
    onEvent: ({ event }) => void events.push(event),
  });
  held.end();
  assert.deepEqual(events, ['connected', 'window-start', 'window-end']);
  assert.equal(result.protocol, 'tcp-echo');
  assert.equal(result.requests, 100);
  assert.equal(decodeHistogram(result.latency.histogram).totalCount, result.latency.count);
  assert.equal(mergeLatencies([result.latency, result.latency]).count, 2 * result.latency.count);

  const given = new AbortController();
  const enough = new Error('enough');
  const endless = load({
    ...{ url, durationMs: 3_600_000, signal: given.signal },
    onEvent: () => given.abort(enough),
  });
  await assert.rejects(endless, enough);
  echo.close();
  await once(echo, 'close');
  await assert.rejects(load({ url }), /nothing listens there/);
  await assert.rejects(
    load({ url: 'ftp://127.0.0.1' }),
    /^Error: 'ftp:\/\/127.0.0.1' is no target: write tcp:/,
  );
}

/** Aborted after its first trial, which is kept. */
async function useRun(): Promise<RunEnd> {
  assert.ok(experiments.some(({ id, profiles }) => id === 'idle-connections' && profiles.includes('thesis')));
  const window = { warmupMs: 20, durationMs: 100 };
  const plan: PlanInput = {
    blocks: { min: 50, max: 50 },
    experiments: [
      {
        experiment: 'idle-connections',
        settings: {
          ...{ backends: ['poll'], impls: ['ts'], references: [], idle: [0], connections: 2, rounds: 0 },
          ...{ closed: window, open: { ...window, rate: 200 } },
        },
      },
    ],
  };
  const given = new AbortController();
  const events: RunEvent['event'][] = [];
  const ended = await run({
    ...{ plan, out: 'runs-of-library', signal: given.signal },
    onEvent(event) {
      events.push(event.event);
      if (event.event === 'trial-end') given.abort();
    },
  });
  assert.equal(ended.reason, 'interrupted');
  assert.equal(events.filter((event) => event === 'trial-end').length, 1);
  assert.equal(readRun(ended.folder).samples.length, 1);
  await assert.rejects(run({ experiment: 'no-such' }), /^Error: unknown experiment 'no-such': known are /);
  await assert.rejects(run({}), /say what to run/);
  return ended;
}

/** On a run of a calm machine, which lies beside this program. */
function useAnalysis(): void {
  const recorded = readRun('.');
  const all = figures(recorded);
  const cost = all.find(({ metric }) => metric.id === 'cpu-per-request')!;
  assert.equal(cost.interval.estimate, meanInterval(cost.values).estimate);
  assert.ok(verdicts(recorded).some(({ id }) => id === 'T1'));
  const comparison = compare(recorded, recorded);
  assert.ok(comparison.rows.length > 0);
  assert.ok(comparison.rows.every(({ change }) => change === '~'));
  assert.equal(judge(comparison, 'slower<50%').failed, 0);
  assert.match(comparisonText(comparison, 'markdown', 'slower<50%'), /\| cell \|/);
  assert.equal(summaryCsv(recorded).trimEnd().split('\n').length, all.length + 1);
  assert.ok(terminalText(recorded).length > 100);
  assert.throws(() => readRun('nowhere'), /is not a run/);
}

function useFlame(): void {
  const [before, after] = ['main;a 3\nmain;b 1\n', 'main;a 1\nmain;b 3\n'].map(parseFolded);
  const graph = flameGraph('after', 'samples', after!);
  assert.equal(graph.total, 4);
  const changed = differentialGraph('from before to after', 'samples', before!, after!);
  assert.equal(changed.nodes.find(({ name }) => name === 'b')!.change, 0.5);
  assert.match(flameSvg(graph), /^<svg /);
  const all = [graph, changed].map((one) => ({ graph: one, caption: '', tables: [] }));
  assert.match(flamePage({ title: 'mine', facts: [], notes: [], figures: all }), /^<!doctype html>/);
}

/** An echo server that takes one turn whenever this program has nothing else to do. */
async function usePoller(): Promise<void> {
  const sockets = new Sockets();
  const poller = openPoller({ backend: nodeBackend });
  const listener = sockets.listen('127.0.0.1', 0);
  poller.add(listener, Interest.read);
  const client = connect(sockets.addressOf(listener).port, '127.0.0.1');
  const closed = once(client, 'close');
  let answer = '';
  client.setEncoding('utf8').on('data', (text) => (answer += text));
  client.end('to whom it may concern');
  for (let open = true; open; await turnOfNode()) {
    const count = poller.turn(0, 1000);
    for (let row = 0; row < count; row++) {
      const slot = poller.events[row * Event.words + Event.slot]!;
      const descriptor = poller.descriptorOf(slot);
      if (descriptor === listener) {
        const accepted = sockets.accept(listener);
        if (!wouldBlock(accepted)) poller.add(accepted, Interest.read);
        continue;
      }
      const received = sockets.receive(descriptor);
      if (received > 0) assert.equal(sockets.send(descriptor, 0, received), received);
      if (received > 0 || wouldBlock(received)) continue;
      poller.forget(slot);
      sockets.close(descriptor);
      open = false;
    }
  }
  await closed;
  assert.equal(answer, 'to whom it may concern');
  poller.close();
  sockets.close(listener);
  sockets.release();
}

assert.ok(typed.flat().every((lost) => !lost));
await useDgramBenchmark();
await useLoad();
await usePoller();
useFlame();
useAnalysis();
const { folder } = await useRun();
assert.match(readFileSync(writeReport(folder).report, 'utf8'), /<\/html>/);
assert.equal(server.title, 'server-line');
console.log('every export works');
