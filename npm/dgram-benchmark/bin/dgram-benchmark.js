#!/usr/bin/env node
import { start } from 'dispatchbench/dgram-benchmark';

try {
  process.exitCode = await start(process.argv.slice(2));
} catch (error) {
  console.error(`dgram-benchmark: ${error.message}`);
  process.exitCode = 1;
}
