/**
 * A curl process for each request, one after the other, as hyperfine runs them: its argument is a CurlSpec as JSON. It
 * keeps to the lines of src/contract/load.ts and ends when its stdin does.
 */
import { curlResult } from '../src/contract/clients.js';
import { printLine, readControl } from '../src/control.js';
import { emptyHistogram, latencyOfHistogram } from '../src/load/histogram.js';
import { targetText } from '../src/options.js';
import { monotonicNs, setAffinity } from '../src/process.js';
import { runProgram } from '../src/program.js';
import { curlSpec } from '../src/programs/curl.js';
import { curl } from './curl-process.js';
import { Told } from './told.js';

await runProgram('curl', async () => {
  const { target, path, warmups, requests, cpus } = curlSpec.parse(JSON.parse(process.argv[2] ?? ''));
  if (cpus.length > 0) setAffinity(cpus);
  const told = new Told();
  readControl(
    (text) => told.line(text),
    () => process.exit(0),
  );
  const url = `http://${targetText(target)}${path}`;
  const args = ['-fsS', '-o', '/dev/null', '-w', '%{time_total}', '--max-time', '20', url];
  /** @returns seconds of the transfer as curl says; null: it failed */
  const once = async (): Promise<number | null> => {
    const printed = await curl(...args);
    return printed === null ? null : Number(printed);
  };
  const version = /^curl (\S+)/.exec((await curl('--version')) ?? '')?.[1] ?? 'unknown';
  printLine({ event: 'connected', connections: 1, elapsedNs: 0 } as { event: string });
  await told.go;
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
  await told.close;
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
