/** Ways to show a run's events: NDJSON, plain lines, a live view on a terminal, or nothing. */
import { Ansis } from 'ansis';
import { createLogUpdate } from 'log-update';
import type { RunEvent } from '../contract/run.js';
import { counted } from '../number.js';
import { liveLines, nothingYet, take } from './live.js';
import { cellOf, clock, type EventOf, nowOf, outcome } from './progress-words.js';

export interface ProgressOptions {
  json: boolean;
  quiet: boolean;
}

export interface Progress {
  /** somebody wants to see verdicts while the run goes on */
  isWatched: boolean;
  show(event: RunEvent): void;
  /** Puts the terminal back as it was. */
  close(): void;
}

function opening(event: EventOf<'run-start'>): string {
  const { run, cells, impossible, blocks, budgetMs, seed, kept } = event;
  return (
    `run ${run}: ${counted(cells, 'cell')}, ${blocks.min} to ${blocks.max} blocks, at most ${clock(budgetMs)} min, seed ${seed}` +
    (impossible > 0 ? `, ${counted(impossible, 'cell')} impossible here` : '') +
    (kept > 0 ? `, ${counted(kept, 'sample')} kept` : '')
  );
}

/** This machine is there at once, which is not worth a line. */
function hostLine({ host, state, reason, elapsedMs }: EventOf<'host'>): string | null {
  if (state === 'absent') return `host ${host} is not available here: ${reason}`;
  if (host === 'local') return null;
  return state === 'opening'
    ? `host ${host} is being started`
    : `host ${host} is up after ${(elapsedMs / 1000).toFixed(1)} s`;
}

/** One line per event, for logs: no colour, no redraw. */
function plainLines(print: (line: string) => void): Progress {
  let cells = 0;
  return {
    isWatched: false,
    show(event) {
      if (event.event === 'run-start') {
        cells = event.cells;
        print(opening(event));
      } else if (event.event === 'notice') {
        print(`note: ${event.message}`);
      } else if (event.event === 'host') {
        const said = hostLine(event);
        if (said !== null) print(said);
      } else if (event.event === 'round') {
        print(`[${clock(event.elapsedMs)}] block ${event.block + 1}: ${nowOf(event)}`);
      } else if (event.event === 'trial-end') {
        const place = `block ${event.block + 1}, ${event.position}/${cells}`;
        print(`[${clock(event.elapsedMs)}] ${place}: ${cellOf(event)}: ${outcome(event)}`);
      } else if (event.event === 'run-end') {
        print(event.message);
      }
    },
    close() {},
  };
}

/** A few lines redrawn in place on stderr; notices scroll by above them. */
function liveView(stream: NodeJS.WriteStream): Progress {
  const ink = new Ansis();
  const redraw = createLogUpdate(stream);
  const started = performance.now();
  let live = nothingYet;

  const draw = () => {
    const { columns = 100, rows = 24 } = stream;
    const lines = liveLines(live, { columns, rows, elapsedMs: performance.now() - started, ink });
    if (lines.length > 0) redraw(lines.join('\n'));
  };
  const timer = setInterval(draw, 500);

  return {
    isWatched: true,
    show(event) {
      live = take(live, event);
      if (event.event === 'run-start') {
        redraw.persist(opening(event));
      } else if (event.event === 'notice') {
        redraw.persist(ink.yellow(`note: ${event.message}`));
      } else if (event.event === 'host') {
        const said = hostLine(event);
        if (said !== null) redraw.persist(said);
      } else if (event.event === 'run-end') {
        clearInterval(timer);
        redraw.clear();
        stream.write(`${event.message}\n`);
        live = nothingYet;
      }
      draw();
    },
    close() {
      clearInterval(timer);
      redraw.done();
    },
  };
}

/** A live view only where somebody looks at it: stderr is a terminal that can redraw, and this is no CI job. */
export function progress(
  { json, quiet }: ProgressOptions,
  stderr: NodeJS.WriteStream = process.stderr,
): Progress {
  if (json) return { isWatched: true, show: (event) => console.log(JSON.stringify(event)), close() {} };
  if (quiet) {
    return {
      isWatched: false,
      show: (event) => event.event === 'notice' && stderr.write(`note: ${event.message}\n`),
      close() {},
    };
  }
  const { CI, NO_COLOR, TERM } = process.env;
  if (stderr.isTTY && !CI && !NO_COLOR && TERM !== 'dumb') return liveView(stderr);
  return plainLines((line) => stderr.write(`${line}\n`));
}
