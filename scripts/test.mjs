// Runs the test files of dist/test with Node's own runner. Arguments: substrings that select files by path.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
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
const groups = [
  { names: files.filter((name) => !alone(name) && !built(name)), atOnce: 2 },
  { names: files.filter(built), atOnce: 2 },
  { names: files.filter(alone), atOnce: 1 },
];

/** Process that builds beside the first group; whoever measures, or needs what it builds, waits for its end. */
const beside = Number(process.env.DISPATCHBENCH_BUILDING ?? 0);
const isThere = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
let failed = false;
for (const [index, { names, atOnce }] of groups.entries()) {
  if (names.length === 0) continue;
  if (index > 0) while (beside > 0 && isThere(beside)) await pause(200);
  const { status } = spawnSync(process.execPath, ['--test', `--test-concurrency=${atOnce}`, ...names], {
    stdio: 'inherit',
  });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
