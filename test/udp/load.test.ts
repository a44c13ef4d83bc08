import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/addon.js';
import { datagramLine } from '../../src/contract/dgram.js';
import type { Machine } from '../../src/experiments/experiment.js';
import { udpPorts } from '../../src/experiments/udp-ports.js';
import { commandOf } from '../../src/hosts/program.js';
import { loadProgram } from '../../src/programs/load.js';
import { ServerProcess } from '../support/server-process.js';

const server = new ServerProcess(resolve(packageRoot, 'build/Release/dispatchbench-server'), [
  ...['--protocol', 'udp-echo', '--backend', 'poll', '--ports', '30'],
]);
after(() => server.kill());
const { port } = await server.hello();

for (const rate of [200, null]) {
  test(`the load client speaks udp-echo, ${rate === null ? 'closed' : 'open'} loop`, async () => {
    const program = loadProgram({
      protocol: 'udp-echo',
      target: { host: '127.0.0.1', port },
      connections: 1,
      rate,
      ports: 30,
      portOrder: 'random',
      durationS: 0.5,
      warmupS: 0.05,
      timeoutS: 1,
    });
    const { command, args } = commandOf(program);
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const events: string[] = [];
    for await (const text of createInterface(child.stdout)) {
      const line = datagramLine.parse(JSON.parse(text));
      events.push(line.event);
      if (line.event === 'connected') child.stdin.write('go\n');
      if (line.event !== 'result') continue;
      assert.equal(line.mode, rate === null ? 'closed' : 'open');
      assert.equal(line.replies, line.latency.count);
      assert.equal(line.sent, line.requests);
      assert.equal(line.requests, line.replies + line.lost);
      if (rate !== null) assert.equal(line.offeredRate, 200);
      assert.ok(line.series.length >= 1);
    }
    assert.deepEqual(events, ['connected', 'window-start', 'window-end', 'result']);
    child.stdin.end();
  });
}

test('the experiment has a cell for every port count and rate that this machine can have', () => {
  const machine: Machine = { available: ['select', 'epoll'], nodeBackend: 'epoll', descriptorLimit: 6000 };
  for (const name of ['quick', 'thesis', 'full'] as const) {
    const settings = udpPorts.settings.parse(udpPorts.profile(name, machine));
    const cells = udpPorts.cells(settings, machine);
    assert.equal(new Set(cells.map((cell) => JSON.stringify(cell))).size, cells.length);
    for (const cell of cells) {
      const trial = udpPorts.trial(cell, settings, machine);
      assert.ok(trial.kind === 'datagrams');
      assert.deepEqual([trial.subject.ports, trial.rate], [cell.ports, cell.rate]);
      // A small datagram takes 768 bytes of the 212 992 that Linux gives a socket: none may overflow in a closed loop.
      if (cell.rate === null) assert.ok(768 * trial.window <= 212_992);
      // Figures 5.3 and 5.4 need several seconds where a second holds few datagrams.
      if (name !== 'quick' && typeof cell.rate === 'number' && cell.rate <= 100)
        assert.ok(trial.durationMs >= 4000);
    }
    if (name !== 'quick')
      assert.deepEqual([...new Set(cells.map(({ ports }) => ports))], [10, 50, 100, 500, 1000, 2000, 5000]);
  }
});
