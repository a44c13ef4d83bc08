/** Live progress of a benchmark and the tables at its end, on a terminal. */
import { Ansis } from 'ansis';
import { counted } from '../number.js';
import type { DgramBenchmark } from './benchmark.js';
import { type PrintOptions, printResult } from './print.js';

export interface TrackOptions extends PrintOptions {
  outputStream?: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  renderProgressBar?: boolean;
  /** text of the bar; `:percent`, `:bar` and `:rate` are filled in */
  progressBarString?: string;
}

const barWidth = 20;

/** Draws on `outputStream` (stderr) until the benchmark is done. @returns the benchmark */
export function track(instance: DgramBenchmark, options: TrackOptions = {}): DgramBenchmark {
  const {
    outputStream = process.stderr as NonNullable<TrackOptions['outputStream']>,
    renderProgressBar = true,
    progressBarString = 'Running [:bar] :percent  :rate replies/s',
    ...print
  } = options;
  const { opts } = instance;
  const ink = new Ansis(outputStream.isTTY ? 3 : 0);
  const say = (text: string) => outputStream.write(text);
  const live = renderProgressBar && outputStream.isTTY === true;
  let seconds = 0;

  instance.on('start', () => {
    const size = `${counted(opts.connections, 'socket')}, ${counted(opts.ports, 'port')}, ${opts.size} bytes`;
    const loop = opts.rate > 0 ? `${opts.rate}/s open loop` : `closed loop, window ${opts.pipelining}`;
    const length = opts.amount === undefined ? `${opts.duration} s` : `${opts.amount} datagrams`;
    say(`Running ${length} test @ ${opts.url}\n${size}, ${loop}, ${counted(opts.workers, 'worker')}\n\n`);
  });
  instance.on('tick', ({ counter, interval }) => {
    if (!live) return;
    seconds += opts.sampleInt / 1000;
    const done = Math.min(1, seconds / opts.duration);
    const filled = Math.round(done * barWidth);
    const line = progressBarString
      .replace(':bar', '='.repeat(filled) + ' '.repeat(barWidth - filled))
      .replace(':percent', `${Math.round(done * 100)}%`)
      .replace(':rate', `${Math.round((counter * 1000) / opts.sampleInt)}`);
    say(
      `\r${ink.bold(line)}  p50 ${(interval.p50Ns / 1e6).toFixed(3)} ms  p99 ${(interval.p99Ns / 1e6).toFixed(3)} ms\u001b[K`,
    );
  });
  instance.on('done', (result) => {
    if (live) say('\r\u001b[K');
    say(printResult(result, { color: outputStream.isTTY === true, ...print }));
  });
  return instance;
}
