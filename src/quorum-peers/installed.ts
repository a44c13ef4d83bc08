/** Programs of other people's groups: where they lie, and which version they are. */
import { spawnSync } from 'node:child_process';

const known = new Map<string, string>();

/** What a program says of itself, asked once. @throws Error in one sentence when it says no version */
export function versionOf(program: string, ...args: readonly string[]): string {
  const key = [program, ...args].join(' ');
  const before = known.get(key);
  if (before !== undefined) return before;
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  const [version] = `${stdout}${stderr}`.match(/\d+\.\d+\.\d+/) ?? [];
  if (version === undefined) throw new Error(`${key} tells no version`);
  known.set(key, version);
  return version;
}
