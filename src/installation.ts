/**
 * How this copy of the suite came here: a checkout that builds its own native part, or an installed package whose native
 * part is a package of the platform's (an optional dependency, so that nothing has to run at installation) or was built from
 * the sources in the package.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cache.js';

/** The checkout or package folder: dist/src/installation.js lies two folders below it. */
export const packageRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Version of the suite. */
export const packageVersion = (): string =>
  (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;

/** What sets a checkout up is in no package. */
export const inCheckout = existsSync(join(packageRoot, 'scripts/setup.mjs'));

/** Ends a sentence about a native part that is missing or of another version. */
export const howToBuild = inCheckout
  ? "run 'npm run setup' to build it"
  : "run 'npx dispatchbench build', which builds it from the sources in the package";

/** The system and processor as names of platform packages begin. */
const machine = `${process.platform}-${process.arch}`;

/** The C library of this system as names of platform packages end; systems but Linux have one. */
function ownLibrary(): string {
  if (process.platform !== 'linux') return '';
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? '-musl' : '-gnu';
}

/** Begins a sentence about a native part that is not there. */
export const missingAddon = (): string =>
  inCheckout
    ? `the native addon for ${machine} is not here`
    : `no prebuilt native part for ${machine}${ownLibrary()} is installed`;

/** Where `dispatchbench build` puts what it has built: the package's own folder may be another user's. */
export const builtFromSource = (): string => cacheFolder('native', `${packageVersion()}-${machine}`);

/** The folder of this machine's platform package. npm installs the one whose C library is ours; null: none. */
function platformPackage(): string | null {
  const { resolve: find } = createRequire(import.meta.url);
  const libraries = process.platform === 'linux' ? ['-gnu', '-musl'] : [''];
  for (const library of libraries) {
    try {
      return dirname(find(`@dispatchbench/${machine}${library}/package.json`));
    } catch {
      // the next one
    }
  }
  return null;
}

const addonName = 'dispatchbench.node';

/** The addon, with the standalone programs beside it. It need not be there: whoever loads it says so. */
export function findAddon(): string {
  const own = join(packageRoot, 'build/Release', addonName);
  if (inCheckout || existsSync(own)) return own;
  const brought = platformPackage();
  return join(brought ?? builtFromSource(), addonName);
}
