// Runs the test files of dist/test with Node's own runner. Arguments: substrings that select files by path.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

// Those that assert what client and server did with a CPU each come last and alone.
const alone = (name) =>
  /\/(load\/.*|agent\/nats|docs\/commands|foreign\/.*|hosts\/link|run\/(ab|standing)|ramp\/gates|selftest\/selftest|udp\/(benchmark|knee|loss|pacing))\.test/.test(
    name,
  );
// Those that make interfaces where others look for left-over ones, or look for such themselves, run one at a time.
const onHosts = (name) =>
  /\/(hosts\/.*|(flame|knee|ramp|run)\/hosts?|agent\/fleet)\.test/.test(name) && !alone(name);
const withGateways = (name) =>
  /\/(gateways\/.*|offload\/(trials|webtransport)|hosts\/(containers|gvisor|qemu-linux))\.test/.test(name);
/**
 * Process that builds beside these tests: whoever measures waits for its end, whoever needs the gateways until the file is
 * there that it makes when it has built them.
 */
const beside = Number(process.env.DISPATCHBENCH_BUILDING ?? 0);
const isThere = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const atOnce = () => true;
const gatewaysBuilt = () => existsSync(process.env.DISPATCHBENCH_GATEWAYS_BUILT ?? '');
const allBuilt = () => false;
const part = (ready, has) => ({ ready, names: files.filter(has) });
// Lanes of a stage run beside each other, the parts of a lane one after the other. What other work of the machine did to a file
// is gone at another time, what is wrong with ours is not: what failed is tried again, each file alone, those that hold figures of
// real time to account twice. What failed first is printed all the same.
const stages = [
  {
    lanes: [
      {
        width: 2,
        parts: [
          part(atOnce, (name) => !alone(name) && !onHosts(name) && !withGateways(name)),
          part(gatewaysBuilt, (name) => !alone(name) && !onHosts(name) && withGateways(name)),
        ],
      },
      {
        width: 1,
        parts: [
          part(atOnce, (name) => onHosts(name) && !withGateways(name)),
          part(gatewaysBuilt, (name) => onHosts(name) && withGateways(name)),
        ],
      },
    ],
    tries: 2,
  },
  { lanes: [{ width: 1, parts: [part(allBuilt, alone)] }], tries: 3 },
];
const calmMs = 15_000;
/** No file takes a third of this anywhere: one that does hangs, and is ended and named instead of waited for. */
const longestMs = 600_000;
/** What failed, once more at the end, and kept for whoever prints more after it. */
const summary = 'build/failed-tests.txt';
/** How long each file took. */
const spans = [];
mkdirSync('build', { recursive: true });
rmSync(summary, { force: true });

/**
 * Runs these, so many at a time.
 * @param said descriptor of what they print
 * @returns what failed, by its file; empty: nothing
 */
async function run(names, width, said = 1) {
  const results = `${summary}.${said}.part`;
  const child = spawn(
    process.execPath,
    [
      '--test',
      `--test-concurrency=${width}`,
      `--test-timeout=${longestMs}`,
      `--test-reporter=${process.stdout.isTTY ? 'spec' : 'tap'}`,
      '--test-reporter-destination=stdout',
      '--test-reporter=./scripts/test-outcomes.mjs',
      `--test-reporter-destination=${results}`,
      ...names,
    ],
    // What runs with --out leave is of no use to whoever runs the tests.
    { stdio: ['inherit', said, 'inherit'], env: { ...process.env, XDG_STATE_HOME: resolve('build/state') } },
  );
  const [status] = await once(child, 'close');
  const outcomes = existsSync(results)
    ? readFileSync(results, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : [];
  rmSync(results, { force: true });
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

/** Runs the parts of a lane. @returns as `run` does */
async function runLane({ width, parts }, said) {
  const found = [];
  for (const { ready, names } of parts) {
    if (names.length === 0) continue;
    while (!ready() && beside > 0 && isThere(beside)) await pause(200);
    found.push(...(await run(names, width, said)));
  }
  return found;
}

/** What one lane prints is printed as it goes on, what the others do when all have ended. */
async function runLanes([first, ...others]) {
  const kept = others.map((_, index) => `build/tests-beside-${index}.txt`);
  const found = await Promise.all([
    runLane(first, 1),
    ...others.map((lane, index) => runLane(lane, openSync(kept[index], 'w'))),
  ]);
  for (const file of kept) {
    process.stdout.write(readFileSync(file));
    rmSync(file);
  }
  return new Map(found.flat());
}

let failed = '';
let again = '';
for (const { lanes, tries } of stages) {
  let found = await runLanes(lanes);
  for (let left = tries - 1; left > 0 && found.size > 0; left -= 1) {
    again += [...found.values()].join('');
    await pause(calmMs);
    found = await run([...found.keys()], 1);
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
