// Runs the test files of dist/test with Node's own runner. Arguments: substrings that select files by path.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
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
  /\/(load\/.*|agent\/nats|docs\/commands|foreign\/.*|hosts\/(bare-guest|commands|containers|docker|guests|gvisor|link|qemu-linux)|run\/(ab|standing)|ramp\/gates|selftest\/selftest|udp\/(benchmark|knee|loss|pacing))\.test/.test(
    name,
  );
const built = (name) => /\/test\/(gateways\/|offload\/(trials|webtransport))/.test(name);
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
// What other work of the machine did to a file is gone at another time, what is wrong with ours is not: what failed is tried
// again, each file alone, those that hold figures of real time to account twice. What failed first is printed all the same.
const groups = [
  { names: files.filter((name) => !alone(name) && !built(name)), atOnce: 2, ready: () => true, tries: 2 },
  { names: files.filter(built), atOnce: 2, ready: gatewaysBuilt, tries: 2 },
  { names: files.filter(alone), atOnce: 1, ready: () => false, tries: 3 },
];
const calmMs = 15_000;
/** No file takes a third of this anywhere: one that does hangs, and is ended and named instead of waited for. */
const longestMs = 600_000;
/** What failed, once more at the end, and kept for whoever prints more after it. */
const summary = 'build/failed-tests.txt';
const part = `${summary}.part`;
/** How long each file took. */
const spans = [];
mkdirSync('build', { recursive: true });
rmSync(summary, { force: true });

/** Runs these. @returns what failed, by its file; empty: nothing */
function run(names, atOnce) {
  const { status } = spawnSync(
    process.execPath,
    [
      '--test',
      `--test-concurrency=${atOnce}`,
      `--test-timeout=${longestMs}`,
      `--test-reporter=${process.stdout.isTTY ? 'spec' : 'tap'}`,
      '--test-reporter-destination=stdout',
      '--test-reporter=./scripts/test-outcomes.mjs',
      `--test-reporter-destination=${part}`,
      ...names,
    ],
    // What runs with --out leave is of no use to whoever runs the tests.
    { stdio: 'inherit', env: { ...process.env, XDG_STATE_HOME: resolve('build/state') } },
  );
  const outcomes = existsSync(part)
    ? readFileSync(part, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : [];
  rmSync(part, { force: true });
  const byFile = new Map();
  for (const { file, failed, seconds } of outcomes) {
    if (seconds !== undefined) spans.push({ file, seconds });
    // What fails outside of a test's file has none of these names.
    const name = names.includes(file) ? file : names[0];
    if (failed !== undefined) byFile.set(name, `${byFile.get(name) ?? ''}${file}: ${failed}\n`);
  }
  if (status !== 0 && byFile.size === 0)
    byFile.set(names[0], `the runner of ${names.length} files ended with ${status}\n`);
  return byFile;
}

let failed = '';
let again = '';
for (const { names, atOnce, ready, tries } of groups) {
  if (names.length === 0) continue;
  while (!ready() && beside > 0 && isThere(beside)) await pause(200);
  let found = run(names, atOnce);
  for (let left = tries - 1; left > 0 && found.size > 0; left -= 1) {
    again += [...found.values()].join('');
    await pause(calmMs);
    found = run([...found.keys()], 1);
  }
  failed += [...found.values()].join('');
}
const slowest = spans.sort((a, b) => b.seconds - a.seconds).slice(0, 10);
console.error(
  `slowest files: ${slowest.map(({ file, seconds }) => `${file.slice('dist/test/'.length)} ${seconds} s`).join(', ')}`,
);
if (again !== '') console.error(`\nfailed, and tried again:\n${again}`);
if (failed !== '') {
  writeFileSync(summary, failed);
  console.error(`\nfailed:\n${failed}`);
  process.exit(1);
}
