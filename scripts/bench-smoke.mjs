// Runs every benchmark of bench/ in its quick form: proves that each starts, measures, prints and ends. The figures of
// such short runs mean nothing and are not looked at; a benchmark that fails fails this.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
const benches = Object.keys(scripts)
  .map((name) => name.match(/^bench:(?!smoke)(.+)$/)?.[1])
  .filter((name) => name !== undefined);
let failed = 0;
for (const name of benches) {
  console.log(`\n# bench ${name} --quick`);
  const { status } = spawnSync(process.execPath, [`dist/bench/${name}.js`, '--quick'], { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`bench ${name} ended with exit code ${status}`);
    failed += 1;
  }
}
process.exit(failed === 0 ? 0 : 1);
