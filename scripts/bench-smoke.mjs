// Runs every benchmark of bench/ in its quick form: proves that each starts, measures, prints and ends. The figures of
// such short runs mean nothing and are not looked at; a benchmark that fails fails this.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
const benches = Object.keys(scripts)
  .map((name) => name.match(/^bench:(?!smoke)(.+)$/)?.[1])
  .filter((name) => name !== undefined);
/** @returns those that failed */
const run = (names) =>
  names.filter((name) => {
    console.log(`\n# bench ${name} --quick`);
    const { status } = spawnSync(process.execPath, [`dist/bench/${name}.js`, '--quick'], {
      stdio: 'inherit',
    });
    if (status !== 0) console.error(`bench ${name} ended with exit code ${status}`);
    return status !== 0;
  });
// A machine that is too busy for a benchmark's own gates may not be when the others have ended.
const failed = run(run(benches));
process.exit(failed.length === 0 ? 0 : 1);
