/**
 * A curl process for each request, one after the other, as hyperfine runs them: its argument is a CurlSpec as JSON. It
 * keeps to the lines of src/contract/load.ts and ends when its stdin does.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { curlResult } from '../src/contract/clients.js';
import { printLine, readControl } from '../src/control.js';
import { emptyHistogram, latencyOfHistogram } from '../src/load/histogram.js';
import { targetText } from '../src/options.js';
import { monotonicNs, setAffinity } from '../src/process.js';
import { runProgram } from '../src/program.js';
import { curlSpec } from '../src/programs/curl.js';

const run = promisify(execFile);

await runProgram('curl', async () => {
  const { target, path, warmups, requests, cpus } = curlSpec.parse(JSON.parse(process.argv[2] ?? ''));
  if (cpus.length > 0) setAffinity(cpus);
  const lines = new Map<string, () => void>();
  const heard = (line: string) => new Promise<void>((resolve) => lines.set(line, resolve));
  const [go, close] = [heard('go'), heard('close')];
  readControl(
    (text) => lines.get(text)?.(),
    () => process.exit(0),
  );
  const url = `http://${targetText(target)}${path}`;
  const args = ['-fsS', '-o', '/dev/null', '-w', '%{time_total}', '--max-time', '20', url];
  /** @returns seconds of the transfer as curl says; null: it failed */
  const once = async (): Promise<number | null> => {
    try {
      return Number((await run('curl', args)).stdout);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw new Error('there is no program curl: install it (Debian: apt-get install curl)');
      return null;
    }
  };
  const version = /^curl (\S+)/.exec((await run('curl', ['--version'])).stdout)?.[1] ?? 'unknown';
  printLine({ event: 'connected', connections: 1, elapsedNs: 0 } as { event: string });
  await go;
  for (let i = 0; i < warmups; i++) await once();
  const [whole, transfer] = [emptyHistogram(), emptyHistogram()];
  let failures = 0;
  const startNs = monotonicNs();
  printLine({ event: 'window-start', monotonicNs: startNs } as { event: string });
  for (let i = 0; i < requests; i++) {
    const from = monotonicNs();
    const seconds = await once();
    if (seconds === null) failures++;
    else {
      whole.recordValue(Math.round(monotonicNs() - from));
      transfer.recordValue(Math.max(1, Math.round(seconds * 1e9)));
    }
  }
  const windowNs = monotonicNs() - startNs;
  printLine({ event: 'window-end', monotonicNs: monotonicNs() } as { event: string });
  await close;
  printLine(
    curlResult.parse({
      event: 'result',
      requests: requests - failures,
      failures,
      version,
      windowNs,
      whole: latencyOfHistogram(whole),
      transfer: latencyOfHistogram(transfer),
    }),
  );
  process.exit(0);
});
