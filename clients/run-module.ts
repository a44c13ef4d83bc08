/**
 * Has a module run once by somebody's command line: its argument is a JSON array of the module's path, the input and the
 * command. Line `ran` of src/contract/device.ts. It ends when its stdin does, and the command with it.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import type { RanLine } from '../src/contract/device.js';
import { printLine, readControl } from '../src/control.js';
import { monotonicNs } from '../src/process.js';
import { runProgram } from '../src/program.js';

const argument = z.tuple([z.string(), z.string(), z.array(z.string()).min(1)]);

/** Far above what a work makes. */
const mostOutput = 1 << 20;
const lastWords = 300;

const described = (bytes: Buffer) => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  bytes: bytes.length,
});

/** @returns what it wrote. @throws Error with what it said last when it failed */
function output([program = '', ...args]: readonly string[], input: string): Promise<Buffer> {
  const child = spawn(program, args, { stdio: 'pipe' });
  const end = () => child.kill('SIGTERM');
  process.once('exit', end);
  readControl(
    () => {},
    () => {
      end();
      child.once('close', () => process.exit(0));
    },
  );
  const pieces: Buffer[] = [];
  let [length, said] = [0, ''];
  child.stdout.on('data', (piece: Buffer) => {
    length += piece.length;
    if (length > mostOutput) end();
    else pieces.push(piece);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-lastWords);
  });
  // Whoever reads nothing is told by its exit code what it is.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((done, refused) => {
    const name = basename(program);
    child.once('error', (error) => refused(new Error(`cannot start ${name}: ${error.message}`)));
    child.once('close', (code, signal) => {
      if (length > mostOutput) refused(new Error(`${name} wrote more than ${mostOutput} bytes`));
      else if (code === 0) done(Buffer.concat(pieces));
      else refused(new Error(`${name} ended with ${signal ?? `exit code ${code}`}: ${said.trim()}`));
    });
  });
}

await runProgram('run-module', async () => {
  const [file, input, command] = argument.parse(JSON.parse(process.argv[2] ?? ''));
  const module = described(readFileSync(file));
  const startedNs = monotonicNs();
  const written = await output(command, input);
  const line: RanLine = {
    event: 'ran',
    module,
    output: described(written),
    elapsedNs: monotonicNs() - startedNs,
  };
  printLine(line);
  process.exit(0);
});
