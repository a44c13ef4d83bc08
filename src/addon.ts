/**
 * Loads the native addon once. Areas type the part they use: `addon<PollerExports>()`.
 * The binary is Node-API, so one build serves Node 20, 22, 24 and 26. DISPATCHBENCH_ADDON names another build of it,
 * and of the standalone programs beside it (the sanitizer pass uses this).
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { findAddon, howToBuild, missingAddon } from './installation.js';

export { packageRoot, packageVersion } from './installation.js';

export const addonPath = process.env.DISPATCHBENCH_ADDON ?? findAddon();

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
      const reason = existsSync(addonPath)
        ? `the native addon cannot be loaded (${(error as Error).message.split('\n')[0]})`
        : `${missingAddon()} (there is no ${addonPath})`;
      throw new Error(`${reason}: ${howToBuild}`);
    }
  }
  return loaded as Exports;
}
