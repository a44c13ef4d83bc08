// What `npm pack` and `npm publish` need before and after, and the packages of platforms.
//   node scripts/package.mjs prepack    builds what is out of date and the declarations, and completes package.json
//   node scripts/package.mjs postpack   puts package.json back
//   node scripts/package.mjs platform [NAME]   the native part of this machine, or another one's by zig's cross compiler, as
//                                              a package in build/npm/NAME
//   node scripts/package.mjs prepack-thin      what `npm pack --workspace dgram-benchmark` needs before and after
//   node scripts/package.mjs postpack-thin
// npm installs no optional dependency that is not published yet, so a checkout's own package.json names none: those of the
// platforms (npm/platforms.json) are added for the tarball alone, but for those of which nobody has shown yet that they load.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile, inParallel, ZIG } from './zig.mjs';

process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));
const json = (path) => JSON.parse(readFileSync(path, 'utf8'));
const platforms = json('npm/platforms.json');
const keptOf = (file) => `build/${file.replaceAll('/', '-')}.kept`;

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error(`package: ${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
  process.exit(1);
}

const isMusl = () => process.report.getReport().header.glibcVersionRuntime === undefined;

/** The platform of this machine. */
function ownPlatform() {
  const libc = process.platform === 'linux' ? (isMusl() ? 'musl' : 'glibc') : undefined;
  const found = platforms.find(
    ({ os, cpu, libc: of }) => os === process.platform && cpu === process.arch && of === libc,
  );
  if (found) return found;
  console.error(
    `package: npm/platforms.json has no platform ${process.platform} ${process.arch} ${libc ?? ''}`,
  );
  process.exit(1);
}

function platformNamed(name) {
  const found = platforms.find((one) => one.name === name);
  if (found) return found;
  console.error(`package: there is no platform '${name}': ${platforms.map((one) => one.name).join(', ')}`);
  process.exit(1);
}

/** What is built for a machine: libraries that are loaded, and programs, each with the groups of its sources. */
function nativeParts({ os }) {
  const { programs } = json('native/sources.json');
  return {
    libraries: ['dispatchbench.node', ...(os === 'linux' ? ['dispatchbench_frames.node'] : [])],
    programs: Object.keys(programs),
  };
}

/** Everything for another machine, as binding.gyp has it, into `folder`. Objects stay in .cache/. */
async function crossBuild({ name, os, zig }, folder) {
  const sources = json('native/sources.json');
  const core = sources.core.flatMap((room) => sources[room]);
  const compiler = ['zig', 'c++', '-target', zig];
  const flags = [
    ...['-std=c++20', '-O2', '-fPIC', '-fno-omit-frame-pointer', '-fvisibility=hidden'],
    ...['-ffunction-sections', '-fdata-sections'],
  ];
  const define = ['-D_GNU_SOURCE', `-DDISPATCHBENCH_FLAGS="${flags.slice(0, 2).join(' ')}"`, '-Inative'];
  const without = ['-fno-exceptions', '-fno-rtti'];
  const addon = ['NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS', 'NODE_ADDON_API_DISABLE_DEPRECATED'];
  const headers = ['node_modules/node-api-headers/include', 'node_modules/node-addon-api'];
  const forAddon = [...addon.map((one) => `-D${one}`), ...headers.map((path) => `-isystem${path}`)];
  const common = createHash('sha256').update(
    [ZIG, zig, ...flags, ...define, ...without, ...forAddon].join(' '),
  );
  for (const path of readdirSync('native', { recursive: true }).sort())
    if (path.endsWith('.h')) common.update(readFileSync(join('native', path)));
  const objects = join('.cache/platforms', name);
  mkdirSync(objects, { recursive: true });
  const objectOf = (source) => {
    const digest = common.copy().update(source).update(readFileSync(source)).digest('hex');
    return join(objects, `${basename(source, '.cc')}-${digest.slice(0, 16)}.o`);
  };
  const must = async (label, args) => {
    if ((await compile(compiler, `${name}: ${label}`, args)) !== 0) process.exit(1);
  };
  const libraries = {
    'dispatchbench.node': [...sources.addon, ...core],
    'dispatchbench_frames.node': sources.frames,
  };
  const parts = nativeParts({ os });
  const wanted = [
    ...parts.libraries.map((file) => ({ file, of: libraries[file], shared: true })),
    ...parts.programs.map((file) => ({ file, of: [...sources.programs[file], ...core], shared: false })),
  ];
  const compiled = [...new Set(wanted.flatMap(({ of }) => of))].map((source) => async () => {
    const object = objectOf(source);
    if (existsSync(object)) return;
    const own = sources.addon.includes(source) ? forAddon : [];
    await must(source, [...flags, ...without, ...define, ...own, '-c', source, '-o', `${object}.part`]);
    renameSync(`${object}.part`, object);
  });
  await inParallel(compiled);
  // Node's own functions are found when it loads the addon.
  const open = os === 'darwin' ? ['-Wl,-undefined,dynamic_lookup'] : ['-Wl,-z,undefs'];
  await inParallel(
    wanted.map(
      ({ file, of, shared }) =>
        () =>
          must(`link ${basename(file)}`, [
            ...(shared ? ['-shared', ...open] : []),
            os === 'darwin' ? '-Wl,-dead_strip' : '-Wl,--gc-sections',
            ...['-s', '-O2', ...new Set(of)].map((one) => (one.endsWith('.cc') ? objectOf(one) : one)),
            ...['-lpthread', ...(os === 'linux' ? ['-ldl'] : []), '-o', join(folder, file)],
          ]),
    ),
  );
}

async function platform(named) {
  const chosen = named === undefined ? ownPlatform() : platformNamed(named);
  const { name, os, cpu, libc } = chosen;
  const { version, license, engines } = json('package.json');
  const folder = join('build/npm', name);
  const { libraries, programs } = nativeParts(chosen);
  const files = [...libraries, ...programs];
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  if (named !== undefined && named !== ownPlatform().name) await crossBuild(chosen, folder);
  else {
    for (const file of files) copyFileSync(join('build/Release', file), join(folder, file));
    // Symbols for debuggers are nine tenths of them; the table of dynamic symbols stays.
    run('strip', '--strip-unneeded', ...files.map((file) => join(folder, file)));
  }
  const described = {
    name: `@dispatchbench/${name}`,
    version,
    description: `The native part of dispatchbench for ${name}`,
    license,
    engines,
    preferUnplugged: true,
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] }),
    files,
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(described, null, 2)}\n`);
  writeFileSync(
    join(folder, 'README.md'),
    readFileSync('npm/README.md', 'utf8').replaceAll('PLATFORM', name),
  );
  copyFileSync('LICENSE', join(folder, 'LICENSE'));
  console.log(folder);
}

/** Puts back what an interrupted one has left. */
function restore(file) {
  const kept = keptOf(file);
  if (existsSync(kept)) renameSync(kept, file);
}

/** Until it is restored it may be another one. */
function keep(file) {
  restore(file);
  mkdirSync('build', { recursive: true });
  copyFileSync(file, keptOf(file));
}

/** Completes a package.json for its tarball. */
function complete(manifest, added) {
  keep(manifest);
  const own = json(manifest);
  writeFileSync(manifest, `${JSON.stringify({ ...own, ...added(own) }, null, 2)}\n`);
}

/** Declarations that no entry of `exports` leads to are of no use to whoever imports the package. */
function pruneDeclarations() {
  const reached = new Set();
  const reach = (file) => {
    if (reached.has(file) || !existsSync(file)) return;
    reached.add(file);
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/\b(?:from |import\()["'](\.[^"']+)\.js["']/g))
      reach(join(dirname(file), `${path}.d.ts`));
  };
  for (const { types } of Object.values(json(main).exports)) if (types) reach(join(types));
  for (const name of readdirSync('dist', { recursive: true })) {
    const file = join('dist', name);
    if (file.endsWith('.d.ts') && !reached.has(file)) rmSync(file);
  }
}

const main = 'package.json';
const thin = 'npm/dgram-benchmark/package.json';

function prepack() {
  restore(main);
  run(process.execPath, 'scripts/setup.mjs');
  run(process.execPath, 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.package.json');
  pruneDeclarations();
  for (const one of schemas()) compact(one);
  complete(main, ({ version }) => ({
    optionalDependencies: Object.fromEntries(
      platforms
        .filter(({ unproven }) => unproven === undefined)
        .map(({ name }) => [`@dispatchbench/${name}`, version]),
    ),
  }));
}

const schemas = () => readdirSync('schemas').map((name) => `schemas/${name}`);

/** In the tarball they are for programs alone. */
function compact(schema) {
  keep(schema);
  writeFileSync(schema, `${JSON.stringify(json(schema))}\n`);
}

/** The version is the suite's, whose code it runs. */
function prepackThin() {
  const [{ version }, own] = [main, thin].map(json);
  if (own.version !== version) {
    console.error(`package: ${thin} is of version ${own.version}, and the suite of ${version}`);
    process.exit(1);
  }
  complete(thin, () => ({ dependencies: { dispatchbench: version } }));
}

const commands = {
  prepack,
  postpack: () => {
    for (const one of [main, ...schemas()]) restore(one);
  },
  platform,
  'prepack-thin': prepackThin,
  'postpack-thin': () => restore(thin),
};
const [, , name, ...args] = process.argv;
const command = commands[name];
if (!command) {
  console.error(`package: say one of ${Object.keys(commands).join(', ')}`);
  process.exit(1);
}
await command(...args);
