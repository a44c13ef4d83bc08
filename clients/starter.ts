/** The starter (src/contract/starter.ts) of a machine that has no command line of ours: a guest made of our own files. */
import { serveStdio } from '../src/hosts/starter.js';
import { runProgram } from '../src/program.js';

await runProgram('starter', serveStdio);
