// Runs native code under AddressSanitizer and UndefinedBehaviorSanitizer: the tests that reach the addon or a standalone
// program, with both built instrumented, and each program on its own with leak detection (leaks.mjs).
//   node scripts/sanitize.mjs [test-path-substring ...]
import { spawn, spawnSync } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compilerCacheOfCMake } from './compiler-cache.mjs';

process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));
const tests = process.argv.slice(2);
if (tests.length === 0) {
  tests.push(
    'addon/',
    'dispatch/',
    'servers/completion',
    'servers/conformance',
    'servers/http-fuzz',
    '/load/',
    'udp/echo-server',
    'udp/ledger',
    'uring/',
    'cost/cost',
    'cost/modes',
    'cost/crossings',
    'migrate/',
    'quorum/log',
    'foreign/',
    'gateways/event-driven',
    'links/',
    'process/',
    'hosts/bare-starter',
  );
}
const plain = 'build/sanitize';
const sparse = 'build/sanitize-sparse';

/** What runs now. */
const running = new Set();

/** Ends the script, and what else runs, when a command fails. @param started called with its process id */
async function run(command, args, { env = process.env, started = () => {} } = {}) {
  const child = spawn(command, args, { stdio: 'inherit', env });
  if (child.pid) started(child.pid);
  running.add(child);
  const said = await new Promise((done) => {
    child.once('error', ({ message }) => done(`: ${message}`));
    child.once('close', (code) => done(code === 0 ? null : ''));
  });
  running.delete(child);
  if (said === null) return;
  console.error(`sanitize: ${[command, ...args].join(' ')} failed${said}`);
  for (const other of running) other.kill();
  process.exit(1);
}

/** Where this compiler keeps a runtime library. */
function runtime(library) {
  const path = spawnSync(process.env.CXX ?? 'c++', [`-print-file-name=${library}`], {
    encoding: 'utf8',
  }).stdout.trim();
  if (!path.includes('/')) {
    console.error(`sanitize: ${library} not found: install your compiler's sanitizer runtimes`);
    process.exit(1);
  }
  return path;
}

/**
 * Builds everything with the sanitizers into `folder`. The second build differs from the first in what few files see: the
 * others' objects are taken from the cache, if there is one.
 */
function compile(folder, definitions = [], started) {
  const options = [
    '--out',
    folder,
    '--CDSANITIZE=address,undefined',
    ...definitions,
    ...compilerCacheOfCMake,
  ];
  const command = ['--no-install', 'cmake-js', 'compile', ...options, '--log-level', 'error'];
  return run('npx', command, { started });
}

const strict = 'halt_on_error=1:print_stacktrace=1';
/** @param building process that compiles beside those tests that do not measure */
const testsOn = (folder, addon, paths, building = 0) =>
  run(process.execPath, ['scripts/test.mjs', ...paths], {
    env: {
      ...process.env,
      DISPATCHBENCH_BUILDING: `${building}`,
      DISPATCHBENCH_ADDON: resolve(folder, 'Release', addon),
      // Node itself is not instrumented, so the runtime has to be there before it.
      LD_PRELOAD: `${runtime('libasan.so')}:${runtime('libubsan.so')}`,
      // Node frees little at exit; leaks of our own are looked for below, in programs that hold nothing else.
      ASAN_OPTIONS: `detect_leaks=0:${strict}`,
      UBSAN_OPTIONS: strict,
    },
  });
await compile(plain);
// Slots that are not the descriptors, as on systems with sparse handles; see native/dispatch/slots.h.
let building = 0;
const compiled = compile(sparse, ['--CDSPARSE_SLOTS=ON'], (pid) => {
  building = pid;
});
await testsOn(plain, 'dispatchbench.node', tests, building);
// The own logic of other systems' backends over stand-ins for the mechanisms; see native/testing/kqueue.cc.
await testsOn(plain, 'dispatchbench_standins.node', ['dispatch/conformance']);
await compiled;
// Leaks are looked for beside those tests that do not measure.
let looking = 0;
const leaks = run(process.execPath, ['scripts/leaks.mjs', resolve(plain, 'Release')], {
  started: (pid) => {
    looking = pid;
  },
});
// An engine's slots are its own everywhere, these have no poller, and the gateway's is that of the servers.
const withoutSlots = [
  ...['servers/completion', 'uring/', 'foreign/', 'gateways/', 'links/', 'migrate/', 'process/', 'quorum/'],
];
const aboutSlots = tests.filter((path) => !withoutSlots.some((prefix) => path.startsWith(prefix)));
await testsOn(sparse, 'dispatchbench.node', aboutSlots.length > 0 ? aboutSlots : tests, looking);
await leaks;
