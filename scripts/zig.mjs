// The cross compiler: zig, pinned, from PyPI, in .cache/.
import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ZIG = '0.17.0';

const cache = resolve(dirname(fileURLToPath(import.meta.url)), '../.cache');
const environment = {
  ...process.env,
  ZIG_GLOBAL_CACHE_DIR: join(cache, 'zig-cache'),
  ZIG_LOCAL_CACHE_DIR: join(cache, 'zig-cache'),
};

/** Installs the pinned compiler into .cache/ unless it is there, and returns its path. */
function installZig() {
  const venv = join(cache, `zig-${ZIG}`);
  const python = `${venv}/bin/python`;
  const locate = () =>
    spawnSync(
      python,
      ['-c', 'import ziglang, os; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))'],
      {
        encoding: 'utf8',
      },
    );
  if (locate().status !== 0) {
    console.log(`installing ziglang ${ZIG} from PyPI`);
    for (const [command, ...args] of [
      ['python3', '-m', 'venv', venv],
      [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `ziglang==${ZIG}`],
    ]) {
      const { status } = spawnSync(command, args, { stdio: 'inherit' });
      if (status !== 0) {
        console.error(`${[command, ...args].join(' ')} failed: the cross builds need python3-venv and PyPI`);
        process.exit(1);
      }
    }
  }
  return locate().stdout.trim();
}

let installed;
const zig = () => (installed ??= installZig());

/**
 * Runs a compiler; resolves with its exit code after printing what it said, under `label`.
 * @param compiler words of its command, of which `zig` is ours
 */
export function compile([command, ...words], label, args) {
  return new Promise((done) => {
    const child = spawn(command === 'zig' ? zig() : command, [...words, ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('close', (code) => {
      if (output !== '') console.error(`${label}:\n${output}`);
      done(code);
    });
  });
}

/** Runs `tasks` (functions that return promises), as many at a time as there are CPUs. */
export async function inParallel(tasks) {
  const queue = [...tasks];
  const worker = async () => {
    for (let task = queue.shift(); task; task = queue.shift()) await task();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}
