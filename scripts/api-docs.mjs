// The reference of what programs import, from the declarations and their comments, into build/api. The tool reads TypeScript
// with a compiler of its own version, so it is installed into .cache/, pinned, when it is asked for.
//   node scripts/api-docs.mjs
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const dependencies = { typedoc: '0.28.20', typescript: '6.0.3' };

const program = 'node_modules/typedoc/bin/typedoc';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);

/** The folder in which the tool is. */
function install() {
  const folder = resolve('.cache/typedoc', Object.values(dependencies).join('-'));
  if (existsSync(join(folder, program))) return folder;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  if (spawnSync('npm', args, { cwd: folder, stdio: 'inherit' }).status === 0) return folder;
  console.error(`api docs: npm ${args.join(' ')} failed: is the npm registry reachable?`);
  process.exit(1);
}

const folder = install();
const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
const entryPoints = Object.values(exports).flatMap(({ types }) =>
  types ? [resolve(types.replace(/^\.\/dist\/(.*)\.d\.ts$/, '$1.ts'))] : [],
);
const options = {
  entryPoints,
  tsconfig: resolve('tsconfig.json'),
  out: resolve('build/api'),
  name: 'dispatchbench',
  readme: 'none',
  githubPages: false,
  excludePrivate: true,
  excludeExternals: true,
  hideGenerator: true,
  disableSources: true,
  treatWarningsAsErrors: true,
  validation: { notExported: false, invalidLink: true, notDocumented: false },
};
const written = join(folder, 'options.json');
writeFileSync(written, JSON.stringify(options));
const { status } = spawnSync(process.execPath, [join(folder, program), '--options', written], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
