// Runs the test files of dist/test with Node's own runner. Arguments: substrings that select files by path.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

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

// Files run in pairs. Those that assert what client and server did with a CPU each come last and one at a time, and so do
// those that make interfaces where others look for left-over ones, or look for left-over ones themselves.
const alone = (name) =>
  /\/(load\/.*|agent\/nats|hosts\/(commands|docker|guests|gvisor|link|qemu-linux)|run\/ab|ramp\/gates|selftest\/selftest|udp\/(benchmark|knee|loss|pacing))\.test/.test(
    name,
  );
const groups = [
  { names: files.filter((name) => !alone(name)), atOnce: 2 },
  { names: files.filter(alone), atOnce: 1 },
];
let failed = false;
for (const { names, atOnce } of groups) {
  if (names.length === 0) continue;
  const { status } = spawnSync(process.execPath, ['--test', `--test-concurrency=${atOnce}`, ...names], {
    stdio: 'inherit',
  });
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
