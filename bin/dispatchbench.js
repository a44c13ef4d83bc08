#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/src/cli/main.js', import.meta.url);
if (existsSync(fileURLToPath(main))) {
  try {
    await import(main.href);
  } catch (error) {
    // Loading the suite alone needs more files than this.
    if (error.code !== 'EMFILE' && error.code !== 'ENFILE') throw error;
    console.error(
      `dispatchbench: too few open files are allowed to start (${error.code}): raise it with 'ulimit -n 1024'`,
    );
    process.exitCode = 1;
  }
} else {
  console.error("dispatchbench: not built yet: run 'npm run setup' in its folder first");
  process.exitCode = 1;
}
