// Compiles the native core for other machines (native/targets.json), and links the standalone programs where that can be
// done, so that they can be carried there: for a Linux machine like this one by the compiler that is here, with all
// libraries in them, for others by zig's cross compiler. Linux machines of other kinds are built when they are asked for.
// For Windows only the mechanisms are built, with a program that checks them: by mingw-w64 where it is installed, which
// links it, and Wine runs it where that is.
// Objects are kept by digest of everything they depend on.
// CROSS_OPTIMIZE, for example -O0, is how programs of other systems are compiled instead.
//   node scripts/cross.mjs [target-substring ...]
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { machine, type } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile, inParallel, ZIG } from './zig.mjs';

const flags = [
  '-std=c++20',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-fno-exceptions',
  '-fno-rtti',
  '-D_GNU_SOURCE',
  '-Inative',
];

process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));
const objects = '.cache/cross';
const isOwn = ({ system, machines }) => system === type() && machines.includes(machine());
// FreeBSD 14.0 and NetBSD 11 are the oldest whose C library zig can stand in for. Programs of a Linux go to any, whatever
// its C library.
const mingw = 'x86_64-w64-mingw32-g++-posix';
const hasMingw = spawnSync(mingw, ['--version']).status === 0;
const compilerOf = (target) => {
  if (isOwn(target)) return [process.env.CXX ?? 'c++'];
  return target.system === 'Windows_NT' && hasMingw ? [mingw] : ['zig', 'c++', '-target', target.zig];
};
const targets = JSON.parse(readFileSync('native/targets.json', 'utf8')).map((target) => ({
  ...target,
  // What runs nowhere here only has to compile and to link.
  optimize: (!isOwn(target) && process.env.CROSS_OPTIMIZE) || target.optimize,
  compiler: compilerOf(target),
  linking: [...(target.system === 'Linux' ? ['-static', '-s'] : []), '-lpthread'],
  usual: isOwn(target) || target.system !== 'Linux',
}));
function headers() {
  const found = readdirSync('native', { recursive: true }).filter((name) => name.endsWith('.h'));
  return found.sort().map((name) => readFileSync(join('native', name)));
}

const sources = JSON.parse(readFileSync('native/sources.json', 'utf8'));
const core = sources.core.flatMap((room) => sources[room]);
const everything = [...new Set([...core, ...Object.values(sources.programs).flat()])];
const checked = (name) => [
  ...sources.checks[name].rooms.flatMap((room) => sources[room]),
  ...sources.checks[name].sources,
];
const wanted = process.argv.slice(2);
const chosen = targets.filter(({ name, usual }) =>
  wanted.length === 0 ? usual : wanted.some((part) => name.includes(part)),
);
if (chosen.length === 0) {
  console.error(`no target matches ${wanted.join(', ')}: ${targets.map(({ name }) => name).join(', ')}`);
  process.exit(1);
}

const common = createHash('sha256').update(ZIG).update(flags.join(' '));
for (const header of headers()) common.update(header);
let failures = 0;
let reused = 0;

const objectOf = ({ name, optimize, compiler }, source) => {
  const digest = common
    .copy()
    .update(name)
    .update(compiler.join(' '))
    .update(optimize)
    .update(source)
    .update(readFileSync(source))
    .digest('hex');
  return join(objects, name, `${basename(source, '.cc')}-${digest.slice(0, 16)}.o`);
};

const compilations = chosen.flatMap((target) => {
  mkdirSync(join(objects, target.name), { recursive: true });
  return (target.check ? checked(target.check) : everything).map((source) => async () => {
    const object = objectOf(target, source);
    if (existsSync(object)) {
      reused += 1;
      return;
    }
    // Another process may compile it as well.
    const part = `${object}.${process.pid}.part`;
    const args = [target.optimize, ...flags, '-c', source, '-o', part];
    if ((await compile(target.compiler, `${target.name}: ${source}`, args)) === 0) renameSync(part, object);
    else failures += 1;
  });
});
await inParallel(compilations);
console.log(
  `${chosen.map(({ name }) => name).join(', ')}: ${compilations.length} compilations, ${reused} reused, ${failures} failed`,
);
if (failures > 0) process.exit(1);

for (const target of chosen.filter(({ link }) => link)) {
  const out = join('build/cross', target.name);
  mkdirSync(out, { recursive: true });
  for (const [program, files] of Object.entries(sources.programs)) {
    const inputs = [...new Set([...files, ...core])].map((source) => objectOf(target, source));
    const args = [target.optimize, ...inputs, ...target.linking, '-o', join(out, program)];
    if ((await compile(target.compiler, `${target.name}: link ${program}`, args)) !== 0) process.exit(1);
    console.log(`linked ${join(out, program)}`);
  }
}

const wine = '/usr/lib/wine/wine64';
for (const target of chosen.filter(({ check, compiler }) => check && compiler[0] === mingw)) {
  const out = join('build/cross', target.name);
  mkdirSync(out, { recursive: true });
  const program = join(out, `${target.check}.exe`);
  const inputs = checked(target.check).map((source) => objectOf(target, source));
  const args = ['-static', '-s', ...inputs, '-lws2_32', '-o', program];
  if ((await compile(target.compiler, `${target.name}: link ${program}`, args)) !== 0) process.exit(1);
  console.log(`linked ${program}`);
  if (!existsSync(wine)) {
    console.log(`not run: ${wine} is not there (Debian package wine64)`);
    continue;
  }
  const prefix = {
    ...process.env,
    WINEPREFIX: resolve('.cache/wine'),
    WINEDEBUG: '-all',
    WINEDLLOVERRIDES: 'mscoree,mshtml=',
  };
  const { status, stdout } = spawnSync(wine, [program], { env: prefix, encoding: 'utf8', timeout: 300_000 });
  spawnSync(`${wine.replace(/64$/, '')}server`, ['-k'], { env: prefix });
  if (status !== 0) {
    console.error(`${program}: ${status ?? 'did not end'}\n${stdout}`);
    process.exit(1);
  }
  const cases = stdout.split('\n').filter((line) => line.startsWith('ok '));
  console.log(`ran ${program}: ${cases.length} cases, Windows API on Wine: functional only`);
}
