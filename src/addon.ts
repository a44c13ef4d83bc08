/**
 * Loads the native addon once. Areas type the part they use: `addon<PollerExports>()`.
 * The binary is Node-API, so one build serves Node 20, 22 and 24. DISPATCHBENCH_ADDON names another build of it,
 * and of the standalone programs beside it (the sanitizer pass uses this).
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout or package folder: dist/src/addon.js lies two folders below it. */
export const packageRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Version of the suite. */
export const packageVersion = (): string =>
  (JSON.parse(readFileSync(resolve(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;

export const addonPath =
  process.env.DISPATCHBENCH_ADDON ?? resolve(packageRoot, 'build/Release/dispatchbench.node');

/** A standalone program of the same build: programs lie beside the addon. */
export function programPath(name: string): string {
  return resolve(dirname(addonPath), name);
}

let loaded: unknown;

/** @throws Error with one sentence on what to do when the addon is missing or cannot be loaded */
export function addon<Exports>(): Exports {
  if (loaded === undefined) {
    try {
      loaded = createRequire(import.meta.url)(addonPath);
    } catch (error) {
      throw new Error(
        `the native addon cannot be loaded (${(error as Error).message.split('\n')[0]}): run 'npm run setup' to build it`,
      );
    }
  }
  return loaded as Exports;
}
