// Runs the test files of dist/test with Node's own runner. Arguments: substrings that select files by path.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
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
let failed = false;
for (const { names, atOnce, ready } of groups) {
  if (names.length === 0) continue;
  while (!ready() && beside > 0 && isThere(beside)) await pause(200);
  const { status } = spawnSync(process.execPath, ['--test', `--test-concurrency=${atOnce}`, ...names], {
    stdio: 'inherit',
  });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
