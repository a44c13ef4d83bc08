/** Foreign servers through the wrapper: what it says of them, what it counts, and that it ends them whole. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandOf } from '../../src/hosts/program.js';
import { getAffinity } from '../../src/process.js';
import { type ForeignSpec, foreignProgram } from '../../src/programs/foreign.js';
import { connected, eventually, exchange, roundTrip } from '../servers/client.js';
import { Subject, script, withSubject } from './subject.js';

const skip = process.platform === 'linux' ? false : 'foreign servers are wrapped on Linux only';

const http: Omit<ForeignSpec, 'command'> = { protocol: 'http' };
const httpScript = (mark: string) => script('http-script', '{port}', '{address}', mark);
const daemonScript = (mark: string) => script('daemon-script', '{port}', '{address}', mark);

async function get(port: number): Promise<string> {
  const { bytes } = await exchange(port, [Buffer.from('GET / HTTP/1.0\r\n\r\n')]);
  return bytes.toString();
}

/** The command's outcome where it does not come to serving. */
function outcome(spec: ForeignSpec): { status: number | null; stdout: string; stderr: string } {
  const { command, args } = commandOf(foreignProgram(spec));
  return spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 });
}

const parentOf = (pid: number): number =>
  Number(
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) . /, '')
      .split(' ')[0],
  );

const nothingLeft = async (subject: Subject) =>
  assert.deepEqual(
    await eventually(
      async () => subject.remains(),
      (remains) => remains.length === 0,
    ),
    [],
  );

/** The kinds of accounting that this machine has. */
const accountings = (['cgroup2', 'cgroup1', 'rusage'] as const).filter(
  (accounting) =>
    !skip && !/cannot be had here/.test(outcome({ ...http, accounting, command: ['true'] }).stderr),
);

test('a node:http server: hello, snapshots, farewell', { skip }, async () => {
  const cpu = getAffinity().at(-1)!;
  await withSubject(new Subject({ ...http, cpus: [cpu] }, httpScript), async (subject) => {
    const hello = await subject.hello();
    assert.equal(hello.protocol, 'http');
    assert.equal(hello.address, '127.0.0.1');
    assert.equal(hello.ports, 1);
    assert.deepEqual(hello.command.slice(2), [`${hello.port}`, '127.0.0.1', subject.mark]);
    assert.deepEqual(hello.cpuAffinity, [cpu]);
    assert.match(
      readFileSync(`/proc/${hello.pid}/status`, 'utf8'),
      new RegExp(`Cpus_allowed_list:\t${cpu}\n`),
    );
    assert.match(hello.digest, /^[0-9a-f]{16}$/);
    assert.ok(hello.readyAfterMs > 0);

    const before = await subject.snapshot();
    assert.equal(before.connections, 0);
    assert.equal(before.tree.processesNow, 1);
    assert.ok(before.rssBytes > 0 && before.peakRssBytes >= before.rssBytes);
    assert.ok(before.tree.pssBytes === null || before.tree.pssBytes > 0);
    assert.equal(before.requests, null);

    const standing = await Promise.all([1, 2, 3].map(() => connected(hello.port)));
    assert.match(await get(hello.port), /hello$/);
    const { connections } = await eventually(
      () => subject.snapshot(),
      (snapshot) => snapshot.connections === 3,
    );
    assert.equal(connections, 3);
    for (const socket of standing) socket.destroy();

    const farewell = await subject.stop();
    assert.equal(farewell.reason, 'stop');
    assert.ok(farewell.wallNs > 0 && farewell.monotonicNs > before.monotonicNs);
    assert.ok(farewell.cpu.userUs + farewell.cpu.systemUs >= before.cpu.userUs + before.cpu.systemUs);
    await nothingLeft(subject);
  });
});

test('one whose port somebody else holds serves when it tells so', { skip }, async () => {
  const line = '{"event":"up"}';
  const later = (mark: string) => [
    ...['sh', '-c', `"$@" & sleep 0.5; printf '%s\\r\\n' '${line}'; wait`, 'sh'],
    ...httpScript(mark),
  ];
  await withSubject(new Subject({ ...http, ready: 'told' }, later), async (subject) => {
    const hello = await subject.hello();
    assert.ok(hello.readyAfterMs >= 500, `${hello.readyAfterMs}`);
    assert.match(await get(hello.port), /hello$/);
  });
});

test('a TCP echo server', { skip }, async () => {
  const echo = (mark: string) => script('echo-script', '{port}', '{address}', mark);
  await withSubject(new Subject({ protocol: 'tcp-echo' }, echo), async (subject) => {
    const { port } = await subject.hello();
    const socket = await connected(port);
    assert.equal((await roundTrip(socket, Buffer.from('echo'))).toString(), 'echo');
    assert.equal((await subject.snapshot()).connections, 1);
    socket.destroy();
  });
});

test('a UDP echo server serves once all its ports are bound', { skip }, async () => {
  const ports = 5;
  const echo = (mark: string) => script('udp-script', '{port}', '{address}', `${ports}`, mark);
  await withSubject(new Subject({ protocol: 'udp-echo', ports }, echo), async (subject) => {
    const hello = await subject.hello();
    assert.equal(hello.ports, ports);
    assert.equal((await subject.snapshot()).connections, ports);
    const socket = createSocket('udp4');
    socket.send('last', hello.port + ports - 1, '127.0.0.1');
    const [reply] = (await once(socket, 'message')) as [Buffer];
    assert.equal(reply.toString(), 'last');
    socket.close();
  });
});

for (const accounting of accountings) {
  test(`CPU of short-lived children is accounted: ${accounting}`, { skip }, async () => {
    const children = 5;
    const spin = (mark: string) => script('spin-script', 'parent', '{port}', '{address}', mark);
    await withSubject(new Subject({ protocol: 'tcp-echo', accounting }, spin), async (subject) => {
      const hello = await subject.hello();
      assert.equal(hello.accounting, accounting);
      const before = await subject.snapshot();
      let told = 0;
      for (let i = 0; i < children; i++) {
        const { bytes } = await exchange(hello.port, [Buffer.from('go')]);
        told += Number(bytes.toString());
      }
      const after = await eventually(
        () => subject.snapshot(),
        (snapshot) => snapshot.tree.processesNow === 1,
      );
      const sum = ({ cpu }: typeof before) => cpu.userUs + cpu.systemUs;
      const counted = sum(after) - sum(before);
      // Beside what the children tell there is their end, the parent's share, and what a clock tick rounds.
      assert.ok(counted > told * 0.9, `${counted} of ${told} us`);
      assert.ok(counted < told * 2, `${counted} of ${told} us`);
      const { processesStarted } = after.tree;
      if (processesStarted !== null) {
        assert.equal(processesStarted - before.tree.processesStarted!, children);
        assert.equal(before.contextSwitches !== null, true);
        assert.equal(after.contextSwitches, null, 'those of ended processes are lost');
      }
    });
  });
}

const unshare = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const noNamespace =
  spawnSync(unshare[0]!, [...unshare.slice(1), 'true']).status === 0
    ? false
    : 'no right to make a PID namespace';

test('where forks are not told, their number is unknown', { skip: skip || noNamespace }, async () => {
  await withSubject(new Subject(http, httpScript, unshare), async (subject) => {
    await subject.hello();
    const { tree, contextSwitches } = await subject.snapshot();
    assert.equal(tree.processesNow, 1);
    assert.equal(tree.processesStarted, null);
    assert.equal(contextSwitches, null);
    await subject.stop();
    await nothingLeft(subject);
  });
});

test('python3 -m http.server', { skip }, async () => {
  const server = (mark: string) => [
    'python3',
    '-m',
    'http.server',
    '--bind',
    '{address}',
    '{port}',
    '-d',
    `/${mark}`,
  ];
  await withSubject(new Subject(http, server), async (subject) => {
    const { port } = await subject.hello();
    assert.match(await get(port), /^HTTP\/1\.[01] 404/);
    assert.equal((await subject.stop()).reason, 'stop');
    await nothingLeft(subject);
  });
});

const nginx = spawnSync('nginx', ['-v']).error ? 'nginx is not installed' : false;

for (const background of [false, true]) {
  test(`nginx in the ${background ? 'background' : 'foreground'}`, { skip: skip || nginx }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-'));
    try {
      const free = createServer().listen(0, '127.0.0.1');
      await once(free, 'listening');
      const { port } = free.address() as { port: number };
      free.close();
      await once(free, 'close');
      writeFileSync(
        join(folder, 'nginx.conf'),
        `${background ? '' : 'daemon off;\n'}worker_processes 2;\npid ${folder}/pid;\nerror_log stderr;\n` +
          `events {}\nhttp { access_log off; server { listen 127.0.0.1:${port}; location / { return 200 "hello"; } } }\n`,
      );
      mkdirSync(join(folder, 'logs'));
      const server = () => ['nginx', '-p', folder, '-c', join(folder, 'nginx.conf')];
      await withSubject(new Subject({ ...http, port }, server), async (subject) => {
        const hello = await subject.hello();
        assert.equal(hello.port, port);
        assert.match(await get(port), /hello$/);
        const { tree, connections } = await eventually(
          () => subject.snapshot(),
          (snapshot) => snapshot.tree.processesNow === 3,
        );
        assert.equal(tree.processesNow, 3, 'a master and two workers');
        assert.equal(connections, 0);
        await subject.stop();
        await assert.rejects(get(port).then((text) => assert.match(text, /hello/)));
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test('arguments reach the command as they are: no shell reads them', { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-'));
  const trap = `$(touch ${folder}/trap); touch ${folder}/trap & "quoted" \\ 'single' {port}{port}`;
  try {
    await withSubject(new Subject(http, (mark) => [...httpScript(mark), trap]), async (subject) => {
      const { command, port, pid } = await subject.hello();
      assert.equal(command.at(-1), trap.replaceAll('{port}', `${port}`));
      const arguments_ = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
      assert.deepEqual(arguments_, command);
    });
    assert.ok(!existsSync(join(folder, 'trap')));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const refused: [spec: Partial<ForeignSpec> & Pick<ForeignSpec, 'command'>, says: RegExp][] = [
  [{ command: ['/no/such/program'] }, /cannot run '\/no\/such\/program': No such file/],
  [{ command: [] }, /the command is missing: give it after --/],
  [
    { command: ['sleep', '100'], readyTimeoutMs: 200 },
    /did not accept a connection on 127\.0\.0\.1 port \d+ within 200 ms/,
  ],
  [
    { command: httpScript('silent'), ready: 'told', readyTimeoutMs: 500 },
    /the command had told no line within 500 ms/,
  ],
  [
    { command: ['sleep', '100'], protocol: 'udp-echo', ports: 3, readyTimeoutMs: 200 },
    /had not bound 127\.0\.0\.1 port \d+ and the 2 after it within 200 ms/,
  ],
  [{ command: ['true'] }, /the command ended with exit code 0 before it served$/],
  [
    { command: ['sh', '-c', 'echo one; echo two >&2; exit 7'] },
    /the command ended with exit code 7 before it served; its last words: one \| two$/,
  ],
  [
    { command: ['sh', '-c', 'kill -USR1 $$'] },
    /the command was killed by signal 10 \(User defined signal 1\) before it served/,
  ],
  [{ command: ['true'], cpus: [999] }, /--cpu cannot be met/],
  [{ command: ['true'], address: 'localhost' }, /--address must be a numeric/],
  [{ command: ['true'], ports: 2 }, /--ports is for udp-echo/],
  [{ command: ['true'], protocol: 'udp-echo', port: 65535, ports: 2 }, /go beyond 65535/],
];

test('what cannot be served is refused in one sentence', { skip }, async () => {
  for (const [spec, says] of refused) {
    const { status, stdout, stderr } = outcome({ ...http, ...spec });
    assert.equal(status, 1, spec.command.join(' '));
    assert.equal(stdout, '');
    const last = stderr.trimEnd().split('\n').at(-1)!;
    assert.match(last, /^dispatchbench-foreign: /);
    assert.match(last, says);
  }
});

test('a port in use is named before the command is started', { skip }, async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  const { status, stderr } = outcome({ ...http, port, command: ['true'] });
  holder.close();
  assert.equal(status, 1);
  assert.match(stderr, new RegExp(`port ${port} is in use`));
});

test('a command that dies while it serves is reported with its last words', { skip }, async () => {
  await withSubject(new Subject(http, httpScript), async (subject) => {
    const { pid } = await subject.hello();
    process.kill(pid, 'SIGKILL');
    await assert.rejects(
      subject.farewell(),
      /ended with code 1 .* the command was killed by signal 9 \(Killed\)/,
    );
  });
});

/** Ways in which a wrapper ends, and what it says. */
const endings: [name: string, end: (subject: Subject) => void, reason: string | null][] = [
  ['end of control', (subject) => void subject.end(5_000), 'end-of-control'],
  ['SIGTERM', (subject) => void process.kill(subject.pid, 'SIGTERM'), 'signal'],
  ['SIGINT', (subject) => void process.kill(subject.pid, 'SIGINT'), 'signal'],
  ['kill -9', (subject) => void process.kill(subject.pid, 'SIGKILL'), null],
];

for (const [name, end, reason] of endings) {
  test(`nothing is left of a server in the background that ignores SIGTERM: ${name}`, { skip }, async () => {
    await withSubject(new Subject({ ...http, graceMs: 200 }, daemonScript), async (subject) => {
      const { port } = await subject.hello();
      assert.match(await get(port), /still here$/);
      assert.equal(subject.processes().length, 1, 'the one in the background');
      end(subject);
      if (reason !== null) assert.equal((await subject.farewell()).reason, reason);
      await nothingLeft(subject);
    });
  });
}

test('nothing is left when the keeper is killed', { skip }, async () => {
  const both = (mark: string) => ['sh', '-c', '"$@" & wait', 'sh', ...httpScript(mark)];
  await withSubject(new Subject(http, both), async (subject) => {
    const { pid } = await subject.hello();
    const keeper = parentOf(pid);
    assert.notEqual(keeper, subject.pid);
    process.kill(keeper, 'SIGKILL');
    await assert.rejects(subject.farewell(), /ended with code 1 .*its keeper was killed/);
    await nothingLeft(subject);
  });
});

test('a wrapper that is killed before the command serves leaves nothing', { skip }, async () => {
  await withSubject(new Subject(http, (mark) => script('wait-script', mark)), async (subject) => {
    await eventually(
      async () => subject.processes().length,
      (count) => count > 0,
    );
    process.kill(subject.pid, 'SIGKILL');
    await nothingLeft(subject);
  });
});
