// Hostile use by the hour: parts that try to break the suite for a given time each.
//   node scripts/hostile.mjs [--only PART,...] [--seconds N]     N of every target, 600 unless given
//     [--seed N]    the first seed, one up for each further process; without it, seeds are drawn (and printed)
//     [--kills N]   kills of one process of a part that kills, instead of its own number
//     [--jobs N]    so many processes at once, of parts that kill, read or parse
//     [--tally F]   adds what was tried to the counts in this JSON file, so that hours can be had in portions
// A finding ends it with 1 and says how to have it again.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { launcher } from './compiler-cache.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string' },
    kills: { type: 'string' },
    jobs: { type: 'string', default: '1' },
    tally: { type: 'string' },
  },
});
const tallyFile = options.tally === undefined ? null : resolve(options.tally);

process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));

/** What this call has tried: the tests append to it (test/support/tally.ts), a line for each. */
const scratch = mkdtempSync(join(tmpdir(), 'dispatchbench-hostile-'));
const tallyLines = join(scratch, 'tally.ndjson');
writeFileSync(tallyLines, '');
process.once('exit', () => rmSync(scratch, { recursive: true }));

/** Prints what was tried and adds it to the file of counts. A part that found something has tried what it tried before. */
function addUp() {
  const counts = new Map();
  for (const line of readFileSync(tallyLines, 'utf8').split('\n')) {
    if (line === '') continue;
    const { what, count } = JSON.parse(line);
    counts.set(what, (counts.get(what) ?? 0) + count);
  }
  for (const [what, count] of counts) console.log(`${what}: ${count}`);
  if (!tallyFile) return;
  const sum = existsSync(tallyFile) ? JSON.parse(readFileSync(tallyFile, 'utf8')) : {};
  for (const [what, count] of counts) sum[what] = (sum[what] ?? 0) + count;
  writeFileSync(`${tallyFile}.part`, `${JSON.stringify(sum, null, 2)}\n`);
  renameSync(`${tallyFile}.part`, tallyFile);
}

function tried(what, count) {
  writeFileSync(tallyLines, `${JSON.stringify({ what, count })}\n`, { flag: 'a' });
}

function fail(message) {
  console.error(`hostile: ${message}`);
  addUp();
  process.exit(1);
}

function wholeNumber(name) {
  const value = Number(options[name]);
  if (options[name] !== '' && value >= 0 && Number.isSafeInteger(value)) return value;
  return fail(`--${name} must be a whole number, not '${options[name]}'`);
}
const seconds = wholeNumber('seconds');
const jobs = Math.max(1, wholeNumber('jobs'));
const kills = options.kills === undefined ? null : wholeNumber('kills');
let nextSeed = options.seed === undefined ? null : wholeNumber('seed');
const seedOfNext = () => (nextSeed === null ? Math.floor(Math.random() * 2 ** 31) : nextSeed++);

const commandLine = (command, args, environment) =>
  [...Object.entries(environment).map(([name, value]) => `${name}=${value}`), command, ...args].join(' ');

/** What a command said, which is shown only when it fails and so ends the script. */
function run(command, args) {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status === 0) return stdout + stderr;
  const outcome = error?.message ?? signal ?? `exit ${status}`;
  return fail(`${commandLine(command, args, {})}: ${outcome}\n${stdout}${stderr}`);
}

/** The same beside others: whether it succeeded, and what it said. */
function heard(command, args, environment = {}) {
  const child = spawn(command, args, {
    env: { ...process.env, HOSTILE_TALLY: tallyLines, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  return new Promise((done) => {
    child.once('error', (error) => done({ ok: false, said: error.message }));
    child.once('close', (code, signal) => {
      const how = `${commandLine(command, args, environment)}: ${signal ?? `exit ${code}`}\n${said}`;
      done(code === 0 ? { ok: true, said } : { ok: false, said: how });
    });
  });
}

/** @returns null, or what it said when it failed */
async function beside(command, args, environment) {
  const { ok, said } = await heard(command, args, environment);
  return ok ? null : said;
}

/** Works on `jobs` of them at a time. @param work returns null, or what is wrong */
async function eachOf(all, work) {
  const waiting = [...all];
  const findings = [];
  const one = async () => {
    while (waiting.length > 0) {
      const said = await work(waiting.shift());
      if (said !== null) findings.push(said);
    }
  };
  await Promise.all(Array.from({ length: jobs }, one));
  if (findings.length > 0) fail(findings.join('\n'));
}

/**
 * The native parsers under libFuzzer, with the sanitizers. What is learnt stays in .cache for the next time; inputs that
 * once found something are kept in native/fuzz/corpus.
 */
async function parsers() {
  const compiler = process.env.CLANGXX ?? 'clang++';
  if (spawnSync(compiler, ['--version']).error)
    fail(`${compiler} not found: install clang with its runtimes`);
  const flags = '-std=c++20 -g -O1 -fno-omit-frame-pointer -D_GNU_SOURCE -Inative'.split(' ');
  const sanitizers = ['-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=all'];
  const { fuzz } = JSON.parse(readFileSync('native/sources.json', 'utf8'));
  await eachOf(Object.entries(fuzz), async ([target, sources]) => {
    const home = `.cache/fuzz/${target}`;
    const learnt = `${home}/corpus`;
    mkdirSync(learnt, { recursive: true });
    const objects = sources.map((source) => [source, `${home}/${source.replaceAll('/', '-')}.o`]);
    // Apart from each other, so that the compiler's cache has them another time.
    const steps = [
      ...objects.map(([source, object]) => [
        ...launcher,
        compiler,
        ...flags,
        ...sanitizers,
        '-c',
        source,
        '-o',
        object,
      ]),
      [compiler, ...sanitizers, ...objects.map(([, object]) => object), '-o', `${home}/run`],
    ];
    for (const [command, ...args] of steps) {
      const built = await heard(command, args);
      if (!built.ok) return built.said;
    }
    const kept = `native/fuzz/corpus/${target}`;
    const limits = [`-max_total_time=${seconds}`, '-max_len=10000', '-timeout=10', '-print_final_stats=1'];
    const seed = nextSeed === null ? [] : [`-seed=${seedOfNext()}`];
    const files = ['-dict=native/fuzz/http.dict', `-artifact_prefix=${home}/`, ...seed];
    const args = [...limits, ...files, learnt, ...(existsSync(kept) ? [kept] : [])];
    const { ok, said } = await heard(`${home}/run`, args);
    if (!ok) return said;
    tried(`inputs of ${target}`, Number(said.match(/number_of_executed_units: (\d+)/)?.[1]));
    return null;
  });
}

/** What reads bytes of strangers in TypeScript, led by coverage: test/fuzz/targets.ts. */
async function readers() {
  const { targets } = await import('../dist/test/fuzz/targets.js');
  await eachOf(targets, ({ name }) => {
    const args = ['--max-old-space-size=512', 'dist/test/fuzz/main.js', name];
    return beside(process.execPath, [...args, '--seconds', `${seconds}`, '--seed', `${seedOfNext()}`], {});
  });
}

/** Hostile values at every function of the addon, in processes of fresh seeds. */
function values() {
  const calls = 10_000;
  const until = Date.now() + seconds * 1000;
  do {
    const args = ['--expose-gc', 'dist/test/addon/fuzz-child.js', `${seedOfNext()}`, `${calls}`];
    run(process.execPath, args);
    tried('calls of the addon', calls);
  } while (Date.now() < until);
}

/** A test file of which npm test does a small part, in rounds with fresh seeds for so many seconds. */
const repeated =
  (file, environment, forSeconds = seconds) =>
  async () => {
    const until = Date.now() + forSeconds * 1000;
    do {
      const round = Array.from({ length: jobs }, () =>
        beside(process.execPath, ['--test', `dist/test/${file}.test.js`], {
          ...environment,
          HOSTILE_SEED: `${seedOfNext()}`,
        }),
      );
      const findings = (await Promise.all(round)).filter((said) => said !== null);
      if (findings.length > 0) fail(findings.join('\n'));
    } while (Date.now() < until);
  };

/** A whole matrix of its victims and signals is `usual` kills; a machine that slept was away for 10 s. */
const killing = (file, usual) =>
  repeated(file, { HOSTILE_KILLS: `${kills ?? usual}`, HOSTILE_STOP_MS: '10000' });

/** Run in this order. */
const parts = {
  parsers,
  readers,
  values,
  // Takes as long as all positions of a run take.
  writes: repeated('hostile/write-faults', { HOSTILE_WRITES: '0' }, 0),
  writers: repeated('hostile/writers', { HOSTILE_WRITERS: '10' }),
  messages: repeated('hostile/nats-messages', { HOSTILE_MESSAGES: '5000' }),
  // The seconds are of each server.
  soak: repeated('hostile/soak', { HOSTILE_SECONDS: `${seconds}` }, 0),
  programs: killing('hostile/program-kills', 9),
  runs: killing('hostile/kills', 6),
  agents: killing('agent/kills', 1),
};

const chosen = options.only === undefined ? Object.keys(parts) : options.only.split(',');
for (const name of chosen) {
  if (!parts[name]) fail(`there is no part '${name}': ${Object.keys(parts).join(', ')}`);
}
for (const name of chosen) await parts[name]();
addUp();
