/**
 * Drives a real wrk: its arguments are a WrkSpec and CPUs as JSON. It keeps to the lines of src/contract/load.ts: says
 * `connected` at once, since wrk connects by itself, waits for `go`, lets wrk run once to warm the server up and once to
 * be measured, and waits for `close`. It ends, with its wrk, when its stdin does.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { wrkResult } from '../src/contract/clients.js';
import { printLine, readControl } from '../src/control.js';
import { monotonicNs, setAffinity } from '../src/process.js';
import { runProgram } from '../src/program.js';
import { wrkProgramSpec } from '../src/programs/wrk.js';
import { parseWrk, type WrkSpec, wrkArguments } from '../src/wrk/wrk.js';
import { Told } from './told.js';

let running: ReturnType<typeof spawn> | null = null;

/** @throws Error in one sentence where there is no wrk, or it fails */
function output(args: string[], fails = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    running = child;
    let [text, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      errors += chunk;
    });
    child.on('error', ({ code, message }: NodeJS.ErrnoException) =>
      reject(
        new Error(
          code === 'ENOENT'
            ? 'there is no program wrk: install it (Debian: apt-get install wrk)'
            : `wrk cannot be started: ${message}`,
        ),
      ),
    );
    child.on('close', (code, signal) => {
      running = null;
      if (code === 0 || fails) resolve(text);
      else
        reject(
          new Error(`wrk ended with ${signal ?? `exit code ${code}`}: ${errors.trim().split('\n').at(-1)}`),
        );
    });
  });
}

/** CPU time of children that have ended, seconds. */
function childrenSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  const ticksPerSecond = 100;
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}

await runProgram('wrk', async () => {
  const { cpus, warmupS, ...spec } = wrkProgramSpec.parse(JSON.parse(process.argv[2] ?? ''));
  if (cpus.length > 0) setAffinity(cpus);
  const told = new Told();
  readControl(
    (text) => told.line(text),
    () => {
      running?.kill('SIGKILL');
      process.exit(0);
    },
  );
  const version = /wrk\s+(\S+)/.exec(await output(['--version'], true))?.[1] ?? 'unknown';
  printLine({ event: 'connected', connections: spec.connections, elapsedNs: 0 } as { event: string });
  await told.go;
  const wrk: WrkSpec = spec;
  // By one connection: what many leave behind in a slow server's queue would be answered in the window, to nobody.
  if (warmupS > 0) await output(wrkArguments({ ...wrk, durationS: warmupS, connections: 1 }));
  const before = childrenSeconds();
  printLine({ event: 'window-start', monotonicNs: monotonicNs() } as { event: string });
  const figures = parseWrk(await output(wrkArguments(wrk)));
  printLine({ event: 'window-end', monotonicNs: monotonicNs() } as { event: string });
  await told.close;
  const busyShare = (childrenSeconds() - before) / (figures.durationNs / 1e9);
  const { connections, threads } = wrk;
  printLine(wrkResult.parse({ event: 'result', ...figures, connections, threads, version, busyShare }));
  process.exit(0);
});
