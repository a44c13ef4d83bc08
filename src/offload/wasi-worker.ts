/** Runs a module by Node's own WASI, once for each message; stdout goes to a file, which is read afterwards. */
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import { parentPort, workerData } from 'node:worker_threads';

const { module, files } = workerData as { module: WebAssembly.Module; files: Record<string, Uint8Array> };
const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-wasi-'));
const file = join(folder, 'stdout');
const seen = join(folder, 'files');
mkdirSync(seen);
for (const [name, bytes] of Object.entries(files)) writeFileSync(join(seen, name), bytes);

parentPort!.on('message', (args: string[] | null) => {
  if (args === null) {
    rmSync(folder, { recursive: true, force: true });
    process.exit();
  }
  const stdout = openSync(file, 'w');
  ftruncateSync(stdout);
  const preopens = { '/': seen };
  const wasi = new WASI({
    version: 'preview1',
    args: ['task', ...args],
    stdout,
    preopens,
    returnOnExit: true,
  });
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.wasiImport } as never);
  const exitCode = wasi.start(instance);
  closeSync(stdout);
  parentPort!.postMessage({ exitCode, stdout: readFileSync(file) });
});
