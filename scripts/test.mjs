// Runs the test files of dist/test with Node's own runner. Arguments: substrings that select files by path.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const wanted = process.argv.slice(2);
const files = readdirSync('dist/test', { recursive: true })
  .filter((name) => name.endsWith('.test.js'))
  .map((name) => `dist/test/${name}`)
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(', ') || 'dist/test/**/*.test.js'}`);
  process.exit(1);
}

// Files run in pairs, those of what may still be being built beside the others after them. Those that assert what client
// and server did with a CPU each come last and one at a time, and so do those that make interfaces where others look for
// left-over ones, or look for left-over ones themselves.
const alone = (name) =>
  /\/(load\/.*|agent\/nats|foreign\/.*|hosts\/(bare-guest|commands|containers|docker|guests|gvisor|link|qemu-linux)|run\/(ab|standing)|ramp\/gates|selftest\/selftest|udp\/(benchmark|knee|loss|pacing))\.test/.test(
    name,
  );
const built = (name) => name.includes('/test/gateways/');
/**
 * Process that builds beside these tests: whoever measures waits for its end, whoever needs the gateways until the file is
 * there that it makes when it has built them.
 */
const beside = Number(process.env.DISPATCHBENCH_BUILDING ?? 0);
const gatewaysBuilt = () => existsSync(process.env.DISPATCHBENCH_GATEWAYS_BUILT ?? '');
const isThere = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const groups = [
  { names: files.filter((name) => !alone(name) && !built(name)), atOnce: 2, ready: () => true },
  { names: files.filter(built), atOnce: 2, ready: gatewaysBuilt },
  { names: files.filter(alone), atOnce: 1, ready: () => false },
];
/** What failed, once more at the end, and kept for whoever prints more after it. */
const summary = 'build/failed-tests.txt';
mkdirSync('build', { recursive: true });
rmSync(summary, { force: true });
let failed = '';
for (const [index, { names, atOnce, ready }] of groups.entries()) {
  if (names.length === 0) continue;
  while (!ready() && beside > 0 && isThere(beside)) await pause(200);
  const part = `${summary}.${index}`;
  const { status } = spawnSync(
    process.execPath,
    [
      '--test',
      `--test-concurrency=${atOnce}`,
      `--test-reporter=${process.stdout.isTTY ? 'spec' : 'tap'}`,
      '--test-reporter-destination=stdout',
      '--test-reporter=./scripts/failed-tests.mjs',
      `--test-reporter-destination=${part}`,
      ...names,
    ],
    { stdio: 'inherit' },
  );
  if (status !== 0)
    failed += readFileSync(part, 'utf8') || `the runner of ${names.length} files ended with ${status}\n`;
  rmSync(part, { force: true });
}
if (failed !== '') {
  writeFileSync(summary, failed);
  console.error(`\nfailed:\n${failed}`);
  process.exit(1);
}
