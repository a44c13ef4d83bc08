/** Runs a program that is stopped half of the time, as one is that has to share its CPU: `stutter.js command args...` */
import { spawn } from 'node:child_process';

const PERIOD_MS = 100;
const [command, ...args] = process.argv.slice(2);
const child = spawn(command!, args, { stdio: 'inherit' });
let stopped = false;
const timer = setInterval(() => {
  stopped = !stopped;
  child.kill(stopped ? 'SIGSTOP' : 'SIGCONT');
}, PERIOD_MS);
const end = (): void => {
  clearInterval(timer);
  child.kill('SIGCONT');
};
process.on('SIGTERM', () => {
  end();
  child.kill('SIGTERM');
});
child.on('exit', (code) => {
  clearInterval(timer);
  process.exitCode = code ?? 1;
});
