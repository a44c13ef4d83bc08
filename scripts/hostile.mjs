// Hostile use by the hour: parts that try to break the suite for a given time each.
//   node scripts/hostile.mjs [--only PART] [--seconds N]     N of every target, 600 unless given
// A finding ends it with 1 and says how to have it again.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));

function fail(message) {
  console.error(`hostile: ${message}`);
  process.exit(1);
}

/** What a command said, which is shown only when it fails and so ends the script. */
function run(command, args) {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status === 0) return stdout + stderr;
  const outcome = error?.message ?? signal ?? `exit ${status}`;
  return fail(`${[command, ...args].join(' ')}: ${outcome}\n${stdout}${stderr}`);
}

/**
 * The native parsers under libFuzzer, with the sanitizers. What is learnt stays in .cache for the next time; inputs that
 * once found something are kept in native/fuzz/corpus.
 */
function parsers(seconds) {
  const compiler = process.env.CLANGXX ?? 'clang++';
  if (spawnSync(compiler, ['--version']).error)
    fail(`${compiler} not found: install clang with its runtimes`);
  const flags = '-std=c++20 -g -O1 -fno-omit-frame-pointer -D_GNU_SOURCE -Inative'.split(' ');
  const sanitizers = ['-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=all'];
  const { fuzz } = JSON.parse(readFileSync('native/sources.json', 'utf8'));
  for (const [target, sources] of Object.entries(fuzz)) {
    const home = `.cache/fuzz/${target}`;
    const learnt = `${home}/corpus`;
    mkdirSync(learnt, { recursive: true });
    run(compiler, [...flags, ...sanitizers, ...sources, '-o', `${home}/run`]);
    const kept = `native/fuzz/corpus/${target}`;
    const limits = [`-max_total_time=${seconds}`, '-max_len=10000', '-timeout=10', '-print_final_stats=1'];
    const files = ['-dict=native/fuzz/http.dict', `-artifact_prefix=${home}/`];
    const said = run(`${home}/run`, [...limits, ...files, learnt, ...(existsSync(kept) ? [kept] : [])]);
    const inputs = said.match(/number_of_executed_units: (\d+)/)?.[1];
    console.log(`${target}: no finding in ${inputs} inputs`);
  }
}

/** Hostile values at every function of the addon, in processes of fresh seeds. */
function values(seconds) {
  const calls = 10_000;
  const until = Date.now() + seconds * 1000;
  let processes = 0;
  for (; Date.now() < until; processes++) {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const args = ['--expose-gc', 'dist/test/addon/fuzz-child.js', `${seed}`, `${calls}`];
    run(process.execPath, args);
  }
  console.log(`addon: no finding in ${processes * calls} calls`);
}

/** A test file of which npm test does a small part, again and again with fresh seeds. */
const repeated = (file, environment) => (seconds) => {
  const until = Date.now() + seconds * 1000;
  let rounds = 0;
  do {
    Object.assign(process.env, environment);
    run(process.execPath, ['--test', `dist/test/${file}.test.js`]);
    rounds++;
  } while (Date.now() < until);
  console.log(`${file}: no finding in ${rounds} rounds`);
};

/** Each takes the seconds of one target; `writes` takes as long as all positions of a run take. */
const parts = {
  parsers,
  values,
  writes: () => repeated('hostile/write-faults', { HOSTILE_WRITES: '0' })(0),
  soak: (seconds) => repeated('hostile/soak', { HOSTILE_SECONDS: `${seconds}` })(0),
  programs: repeated('hostile/program-kills', { HOSTILE_KILLS: '9' }),
  runs: repeated('hostile/kills', { HOSTILE_KILLS: '10' }),
  agents: repeated('agent/kills', { HOSTILE_KILLS: '3' }),
};

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, seconds: { type: 'string', default: '600' } },
});
const seconds = Number(options.seconds);
if (!(seconds >= 1 && Number.isInteger(seconds)))
  fail(`--seconds must be a whole number, not '${options.seconds}'`);
const chosen = options.only === undefined ? Object.keys(parts) : options.only.split(',');
for (const name of chosen) {
  if (!parts[name]) fail(`there is no part '${name}': ${Object.keys(parts).join(', ')}`);
}
for (const name of chosen) await parts[name](seconds);
