// Runs every benchmark of bench/ in its quick form: proves that each starts, measures, prints and ends. The figures of
// such short runs mean nothing and are not looked at; a benchmark that fails fails this.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const benches = readdirSync('dist/bench').filter((name) => name.endsWith('.js') && name !== 'lib.js');
if (benches.length === 0) throw new Error('dist/bench holds no benchmark: run npm run setup first');
let failed = 0;
for (const name of benches) {
  console.log(`\n# bench ${name.replace('.js', '')} --quick`);
  const { status } = spawnSync(process.execPath, [`dist/bench/${name}`, '--quick'], { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`bench ${name} ended with exit code ${status}`);
    failed += 1;
  }
}
process.exit(failed === 0 ? 0 : 1);
