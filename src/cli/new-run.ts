/** The folder of a new run, which other commands find wherever it is. */
import { resolve } from 'node:path';
import { RunFolder } from '../results/folder.js';
import { register } from '../results/register.js';

/** @throws Error in one sentence */
export function newRun(out: string, planName: string): RunFolder {
  const folder = RunFolder.create(out, planName);
  if (resolve(out) !== resolve('results')) register(folder.path);
  return folder;
}
