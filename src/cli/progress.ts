/** Ways to show a run's events: NDJSON, plain lines, a live view on a terminal, or nothing. */
import { Ansis } from 'ansis';
import { createLogUpdate } from 'log-update';
import { cellLabel } from '../analysis/cells.js';
import type { RunEvent } from '../contract/run.js';

export interface ProgressOptions {
  json: boolean;
  quiet: boolean;
}

export interface Progress {
  show(event: RunEvent): void;
  /** Puts the terminal back as it was. */
  close(): void;
}

type EventOf<Name extends RunEvent['event']> = Extract<RunEvent, { event: Name }>;

/** 75000 -> '1:15' */
function clock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** What a finished trial has to say, in one line. */
function outcome({ status, error, gates, figures }: EventOf<'trial-end'>): string {
  const doubts = gates.length > 0 ? ` (${gates.join('; ')})` : '';
  return status === 'ok' ? figures + doubts : `${status}: ${error ?? figures}${doubts}`;
}

function opening(event: EventOf<'run-start'>): string {
  const { run, cells, impossible, blocks, budgetMs, seed, kept } = event;
  return (
    `run ${run}: ${cells} cells, ${blocks.min} to ${blocks.max} blocks, at most ${clock(budgetMs)} min, seed ${seed}` +
    (impossible > 0 ? `, ${impossible} cells impossible here` : '') +
    (kept > 0 ? `, ${kept} samples kept` : '')
  );
}

/** What is not named is this machine. */
const on = (host: string) => (host === 'local' ? '' : ` on ${host}`);

const cellOf = ({ cell, host }: EventOf<'trial-start'> | EventOf<'trial-end'>) =>
  `${cellLabel(cell)}${on(host)}`;

/** This machine is there at once, which is not worth a line. */
function hostLine({ host, state, reason, elapsedMs }: EventOf<'host'>): string | null {
  if (state === 'absent') return `host ${host} is not available here: ${reason}`;
  if (host === 'local') return null;
  return state === 'opening'
    ? `host ${host} is being started`
    : `host ${host} is up after ${(elapsedMs / 1000).toFixed(1)} s`;
}

const placeOf = (event: EventOf<'trial-start'> | EventOf<'round'>, cells: number) =>
  event.event === 'round'
    ? `block ${event.block + 1}`
    : `block ${event.block + 1}, trial ${event.position} of ${cells}`;

/** 'epoll · ts batch, idle 1000', or 'round 2 of 3 over 16 servers' */
function nowOf(event: EventOf<'trial-start'> | EventOf<'round'>): string {
  if (event.event === 'trial-start') return cellOf(event);
  const there = on(event.host);
  return event.round === 0
    ? `${event.cells} servers are started${there}, with their idle connections, and warmed up`
    : `round ${event.round} of ${event.rounds} over ${event.cells} servers that stand together${there}`;
}

/** One line per event, for logs: no colour, no redraw. */
function plainLines(print: (line: string) => void): Progress {
  let cells = 0;
  return {
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
  const colour = new Ansis();
  const redraw = createLogUpdate(stream);
  const started = performance.now();
  let run: EventOf<'run-start'> | undefined;
  let current: EventOf<'trial-start'> | EventOf<'round'> | undefined;
  let last: EventOf<'trial-end'> | undefined;
  let precision: number | null = null;
  let finished = 0;
  const warnings: string[] = [];

  const draw = () => {
    if (!run) return;
    const elapsed = performance.now() - started;
    const total = run.cells * run.blocks.min;
    const share = Math.min(1, Math.max(finished / total, elapsed / run.budgetMs));
    const filled = Math.round(share * 30);
    const width = (stream.columns ?? 100) - 1;
    const left = `at most ${clock(run.budgetMs - elapsed)} left`;
    const lines = [
      colour.cyan('━'.repeat(filled)) + colour.dim('━'.repeat(30 - filled)),
      cut(
        `${current ? placeOf(current, run.cells) : 'starting'} · ${clock(elapsed)} elapsed, ${left}`,
        width,
      ),
      ...(current ? [cut(`now   ${nowOf(current)}`, width)] : []),
      ...(last ? [cut(`last  ${cellOf(last)}: ${outcome(last)}`, width)] : []),
      ...(precision === null ? [] : [`every interval is within ±${(precision * 100).toFixed(1)} % so far`]),
      ...warnings.map((warning) => colour.yellow(cut(`!     ${warning}`, width))),
    ];
    redraw(lines.join('\n'));
  };
  const timer = setInterval(draw, 500);

  return {
    show(event) {
      if (event.event === 'run-start') {
        run = event;
        redraw.persist(opening(event));
      } else if (event.event === 'notice') {
        redraw.persist(colour.yellow(`note: ${event.message}`));
      } else if (event.event === 'host') {
        const said = hostLine(event);
        if (said !== null) redraw.persist(said);
      } else if (event.event === 'trial-start' || event.event === 'round') {
        current = event;
      } else if (event.event === 'trial-end') {
        last = event;
        finished++;
        const doubts = event.status === 'ok' ? event.gates : [outcome(event)];
        for (const doubt of doubts) if (!warnings.includes(doubt)) warnings.push(doubt);
        warnings.splice(0, warnings.length - 3);
      } else if (event.event === 'block-end') {
        precision = event.precision;
      } else {
        clearInterval(timer);
        redraw.clear();
        stream.write(`${event.message}\n`);
        run = undefined;
      }
      draw();
    },
    close() {
      clearInterval(timer);
      redraw.done();
    },
  };
}

/** A line longer than the terminal is wide would wrap, and the redraw would lose its place. */
function cut(line: string, width: number): string {
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

/** A live view only where somebody looks at it: stderr is a terminal and this is no CI job. */
export function progress(
  { json, quiet }: ProgressOptions,
  stderr: NodeJS.WriteStream = process.stderr,
): Progress {
  if (json) return { show: (event) => console.log(JSON.stringify(event)), close() {} };
  if (quiet) {
    return {
      show: (event) => event.event === 'notice' && stderr.write(`note: ${event.message}\n`),
      close() {},
    };
  }
  if (stderr.isTTY && !process.env.CI) return liveView(stderr);
  return plainLines((line) => stderr.write(`${line}\n`));
}
