/**
 * Drives a real iperf3: its argument is an Iperf3ProgramSpec as JSON. The receiver says `listening` with its port once its
 * iperf3 does, and ends with it; the sender says `result`. Both end, with their iperf3, when their stdin does.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { peerListening, peerResult } from '../src/contract/transfer.js';
import { printLine, readControl } from '../src/control.js';
import { freePort } from '../src/free-port.js';
import { iperf3Client, iperf3Server, parseIperf3 } from '../src/iperf3/iperf3.js';
import { setAffinity } from '../src/process.js';
import { runProgram } from '../src/program.js';
import { iperf3ProgramSpec } from '../src/programs/iperf3.js';

let running: ChildProcess | null = null;

/** @param heard what it has printed so far, whenever there is more. @returns all it printed, once it ended */
function output(args: readonly string[], heard: (text: string) => void = () => {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('iperf3', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    running = child;
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        heard(text);
      });
    }
    child.on('error', ({ code, message }: NodeJS.ErrnoException) =>
      reject(
        new Error(
          code === 'ENOENT'
            ? 'there is no program iperf3: install it (Debian: apt-get install iperf3)'
            : `iperf3 cannot be started: ${message}`,
        ),
      ),
    );
    child.on('close', () => {
      running = null;
      resolve(text);
    });
  });
}

async function receive(address: string): Promise<void> {
  const port = await freePort(address);
  let listening = false;
  const text = await output(iperf3Server({ address, port }), (heard) => {
    if (listening || !heard.includes('Server listening')) return;
    listening = true;
    printLine(peerListening.parse({ event: 'listening', port }));
  });
  if (!listening) throw new Error(`iperf3 ended: ${text.trim().split('\n').at(-1)}`);
}

await runProgram('iperf3', async () => {
  const { cpus, ...spec } = iperf3ProgramSpec.parse(JSON.parse(process.argv[2] ?? ''));
  // What is started has them as well.
  if (cpus.length > 0) setAffinity(cpus);
  readControl(
    () => {},
    () => {
      running?.kill('SIGKILL');
      process.exit(0);
    },
  );
  if (spec.role === 'receiver') await receive(spec.address);
  else printLine(peerResult.parse({ event: 'result', ...parseIperf3(await output(iperf3Client(spec))) }));
  process.exit(0);
});
