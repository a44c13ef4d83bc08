/**
 * Puts versions of a file in place, each by a rename: its argument is the file they are made of, `put N` on stdin asks for
 * one. Lines of src/contract/update.ts. It ends when its stdin does, and removes the folder.
 */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asVersion } from '../src/contract/versions.js';
import { printLine, readControl } from '../src/control.js';
import { monotonicNs } from '../src/process.js';
import { runProgram } from '../src/program.js';

await runProgram('updater', async () => {
  const template = readFileSync(process.argv[2] ?? '');
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-update-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
  const file = join(folder, 'live.wasm');
  const put = (version: number): number => {
    writeFileSync(`${file}.part`, asVersion(template, version));
    const before = monotonicNs();
    renameSync(`${file}.part`, file);
    return before;
  };
  put(0);
  readControl(
    (text) => {
      const version = Number(/^put (\d+)$/.exec(text)?.[1]);
      if (Number.isNaN(version)) return;
      printLine({ event: 'placed', version, monotonicNs: put(version) } as { event: string });
    },
    () => process.exit(0),
  );
  printLine({ event: 'ready', file } as { event: string });
});
