/** Runs a module by Node's own WASI, once for each message; stdout goes to a file, which is read afterwards. */
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import { parentPort, workerData } from 'node:worker_threads';

const { module } = workerData as { module: WebAssembly.Module };
const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-wasi-'));
const file = join(folder, 'stdout');

parentPort!.on('message', (args: string[] | null) => {
  if (args === null) {
    rmSync(folder, { recursive: true, force: true });
    process.exit();
  }
  const stdout = openSync(file, 'w');
  ftruncateSync(stdout);
  const wasi = new WASI({ version: 'preview1', args: ['task', ...args], stdout, returnOnExit: true });
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.wasiImport } as never);
  const exitCode = wasi.start(instance);
  closeSync(stdout);
  parentPort!.postMessage({ exitCode, stdout: readFileSync(file, 'utf8') });
});
