/** Runs a command of WebAssembly once: once.js FILE, all of standard input to standard output. */
import { readFileSync } from 'node:fs';
import { Guest } from './guest.js';
import { UsageError } from './options.js';
import { run } from './program.js';

await run(async ([file]) => {
  if (file === undefined) throw new UsageError('say which module: once.js FILE');
  const guest = new Guest(await WebAssembly.compile(readFileSync(file)));
  process.stdout.write(guest.run(readFileSync(0)));
});
