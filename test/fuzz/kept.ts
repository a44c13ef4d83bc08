/** Inputs that once found something: test/fuzz/corpus/TARGET. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/addon.js';

export function kept(target: string): Buffer[] {
  const folder = join(packageRoot, 'test/fuzz/corpus', target);
  return existsSync(folder) ? readdirSync(folder).map((file) => readFileSync(join(folder, file))) : [];
}
