#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/src/dgram-benchmark/arguments.js', import.meta.url);
if (existsSync(fileURLToPath(main))) {
  const { start } = await import(main.href);
  try {
    process.exitCode = await start(process.argv.slice(2));
  } catch (error) {
    console.error(`dgram-benchmark: ${error.message}`);
    process.exitCode = 1;
  }
} else {
  console.error("dgram-benchmark: not built yet: run 'npm run setup' in its folder first");
  process.exitCode = 1;
}
