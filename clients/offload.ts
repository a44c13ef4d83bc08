/**
 * Has tasks run in a closed loop and says what came of it: its argument is an OffloadSpec as JSON. It starts broker and
 * providers itself, as children that end with it. Prints the result of src/contract/offload.ts; ends with its stdin.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { brokerReady, type OffloadResult, type OffloadSteps } from '../src/contract/offload.js';
import { printLine, readControl } from '../src/control.js';
import { commandOf } from '../src/hosts/program.js';
import { emptyHistogram, latencyOfHistogram } from '../src/load/histogram.js';
import { toBase64 } from '../src/offload/base64.js';
import { OffloadClient, stepsOf } from '../src/offload/client.js';
import { readTokens } from '../src/offload/tokens.js';
import { WasiPool } from '../src/offload/wasi-pool.js';
import { moduleOf, workloadOf } from '../src/offload/workload.js';
import { runProgram } from '../src/program.js';
import { type OffloadSpec, offloadSpec } from '../src/programs/offload.js';

/** One task's answer. */
interface Ran {
  good: boolean;
  /** base64 */
  stdout: string;
  steps: OffloadSteps | null;
}

interface Way {
  run(): Promise<Ran>;
  close(): Promise<void>;
}

const children: ChildProcess[] = [];

/** One that is gone when this program is. */
function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-offload-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** @returns its first line */
async function child(subcommand: string, args: readonly string[]): Promise<unknown> {
  const program = commandOf({ subcommand, args: ['--json', ...args] });
  const started = spawn(program.command, program.args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(started);
  const lines = createInterface({ input: started.stdout! });
  const ended = once(started, 'exit').then(([code]) => {
    throw new Error(`${subcommand} ended with exit code ${code}`);
  });
  ended.catch(() => {});
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
  return JSON.parse(line);
}

async function brokered(spec: OffloadSpec): Promise<Way> {
  const { way, task, providers, workers } = spec;
  const folder = ownFolder();
  const chosen = (['transport', 'scheduler', 'verify'] as const).flatMap((name) =>
    spec[name] === undefined ? [] : [`--${name}`, `${spec[name]}`],
  );
  const { port } = brokerReady.parse(await child('broker', ['--folder', folder, '--port', '0', ...chosen]));
  const at = ['--broker', `127.0.0.1:${port}`, '--folder', folder, '--workers', `${workers}`];
  if (way === 'browser')
    void child('provider', [...at, '--in-browser', '--pages', `${providers}`]).catch(() => {});
  else
    for (let one = 0; one < providers; one++)
      await child('provider', [...at, '--name', `process-${one + 1}`]);
  const client = new OffloadClient({ host: '127.0.0.1', port }, readTokens(folder).client, { ms: 60_000 });
  // Those of another transport are not what is measured.
  const by = way === 'browser' ? (spec.transport ?? 'websocket') : 'websocket';
  const there = async () => (await client.status()).transports[by] ?? 0;
  while ((await there()) < providers) await new Promise((next) => setTimeout(next, 20));
  const workload = workloadOf(task);
  const module = await client.upload(moduleOf(workload));
  const args = [...workload.args];
  const files: Record<string, string> = {};
  for (const [name, bytes] of Object.entries(workload.files)) files[name] = await client.upload(bytes);
  return {
    async run() {
      const answered = await client.run({ module, args, files });
      const { outcome } = answered;
      const good = outcome.state === 'done' && outcome.exitCode === 0;
      return { good, stdout: good ? outcome.stdout : '', steps: stepsOf(answered) };
    },
    async close() {
      client.close();
      for (const one of [...children].reverse()) {
        const ended = once(one, 'exit');
        one.stdin!.end();
        if (one.exitCode === null) await ended;
      }
    },
  };
}

async function pooled({ task, providers, workers }: OffloadSpec): Promise<Way> {
  const workload = workloadOf(task);
  const module = await WebAssembly.compile(moduleOf(workload));
  const pool = new WasiPool(module, providers * workers, workload.files);
  return {
    run: async () => {
      const { exitCode, stdout } = await pool.run(workload.args);
      return { good: exitCode === 0, stdout: toBase64(stdout), steps: null };
    },
    close: () => pool.close(),
  };
}

function started({ task, providers, workers }: OffloadSpec): Way {
  const execute = promisify(execFile);
  const { args, files, tool } = workloadOf(task);
  const cwd = ownFolder();
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(cwd, name), bytes);
  const waiting: (() => void)[] = [];
  let free = providers * workers;
  return {
    async run() {
      // As many at the same time as there are workers.
      if (free > 0) free -= 1;
      else await new Promise<void>((next) => void waiting.push(next));
      try {
        const { stdout } = await execute(tool!.program, args, { cwd, encoding: 'buffer' });
        return { good: true, stdout: toBase64(stdout), steps: null };
      } catch {
        return { good: false, stdout: '', steps: null };
      } finally {
        const next = waiting.shift();
        if (next) next();
        else free += 1;
      }
    },
    close: async () => {},
  };
}

const waysOf = { browser: brokered, process: brokered, 'wasi-pool': pooled, native: started };

await runProgram('offload', async () => {
  const spec = offloadSpec.parse(JSON.parse(process.argv[2] ?? ''));
  readControl(
    () => {},
    () => process.exit(0),
  );
  const way = await waysOf[spec.way](spec);
  const first = await way.run();
  const closed = async (durationMs: number, took: (ran: Ran, ms: number) => void) => {
    const until = performance.now() + durationMs;
    await Promise.all(
      Array.from({ length: spec.inFlight }, async () => {
        while (performance.now() < until) {
          const began = performance.now();
          took(await way.run(), performance.now() - began);
        }
      }),
    );
  };
  await closed(spec.warmupMs, () => {});
  const histogram = emptyHistogram();
  let [tasks, failures, traced] = [0, 0, 0];
  const sums: Partial<OffloadSteps> = {};
  const began = performance.now();
  await closed(spec.durationMs, ({ good, stdout, steps }, ms) => {
    tasks += 1;
    if (!good || stdout !== first.stdout) failures += 1;
    histogram.recordValue(Math.max(1, Math.round(ms * 1e6)));
    if (!steps) return;
    traced += 1;
    for (const [name, value] of Object.entries(steps) as [keyof OffloadSteps, number][])
      sums[name] = (sums[name] ?? 0) + value;
  });
  const elapsedNs = (performance.now() - began) * 1e6;
  await way.close();
  const means = Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / traced]));
  const result: OffloadResult = {
    event: 'result',
    tasks,
    failures,
    elapsedNs,
    latency: latencyOfHistogram(histogram),
    steps: traced > 0 ? (means as OffloadSteps) : null,
  };
  printLine(result);
  process.exit(0);
});
