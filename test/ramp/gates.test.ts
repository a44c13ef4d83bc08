import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { resolve } from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../../src/addon.js';
import type { NetworkCounters } from '../../src/contract/host.js';
import { loadResult } from '../../src/contract/load.js';
import { noFailures, type SessionResult, type SessionSpec, sessionResult } from '../../src/contract/ramp.js';
import { Child } from '../../src/hosts/child.js';
import type { Host } from '../../src/hosts/host.js';
import { openLocal, startHere } from '../../src/hosts/local.js';
import { networkDifference, parseNetworkCounters } from '../../src/hosts/network-counters.js';
import { type Command, commandOf, type Program } from '../../src/hosts/program.js';
import { monotonicNs } from '../../src/process.js';
import { loadProgram } from '../../src/programs/load.js';
import { sessionProgram } from '../../src/programs/session.js';
import { bestTimings, timingsIn } from '../../src/run/calibration.js';
import { doubts, type Judged } from '../../src/run/doubts.js';
import { runTrial } from '../../src/run/trial.js';
import { places } from '../../src/stage/places.js';
import { repeatedConnects } from '../../src/trials/gates.js';
import { measured } from '../../src/trials/sample.js';
import { syntheticSample } from '../support/samples.js';

/** Each gate that the network provokes, provoked in a namespace of the test's own, and seen in what is reported. */
const space = `dbgate${process.pid % 100_000}`;

const ip = (...args: string[]): void =>
  void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
const inside = (...args: string[]): string =>
  execFileSync('ip', ['netns', 'exec', space, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

const missing = ((): string | null => {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  try {
    ip('netns', 'add', space);
    ip('-n', space, 'link', 'set', 'lo', 'up');
    return null;
  } catch (error) {
    return `no network namespaces here (${(error as Error).message.split('\n')[0]})`;
  }
})();
after(() => {
  if (!missing) ip('netns', 'del', space);
});

const sample = syntheticSample({ cell: {}, cpuUs: 10 });
/** A trial that nothing speaks against. */
const sound: Judged = {
  ...sample,
  network: null,
  pinning: { ...sample.pinning, shared: false, siblings: false },
  host: { ...sample.host, vcpus: 2, clockStepNs: 30 },
  clientHost: { ...sample.clientHost, vcpus: 2, clockStepNs: 30 },
};
const gates = (judged: Judged) => doubts(judged, bestTimings(timingsIn(judged)));
const raised = (server: NetworkCounters): string[] =>
  gates({ ...sound, network: { server, client: null } }).map(({ id }) => id);

const counters = () => parseNetworkCounters(inside('cat', '/proc/net/netstat', '/proc/net/snmp'));

async function measure(more: Partial<SessionSpec>): Promise<SessionResult> {
  const spec: SessionSpec = {
    host: '127.0.0.1',
    port: 9,
    uri: '/',
    rate: 200,
    connections: 40,
    calls: 1,
    timeoutMs: 1500,
    sampleMs: 100,
    arrival: 'fixed',
    cpus: [],
    ...more,
  };
  const { command, args } = commandOf(sessionProgram(spec));
  const client = new Child('client', { command: 'ip', args: ['netns', 'exec', space, command, ...args] });
  try {
    await client.expect('ready', 20_000);
    client.send(`start ${monotonicNs()}`);
    return sessionResult.parse(await client.expect('result', 60_000));
  } finally {
    await client.end(500);
  }
}

/** A listener that never accepts, with a queue for one connection. */
async function deafServer(port: number): Promise<() => Promise<unknown>> {
  const script = `
    import socket, sys
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('127.0.0.1', ${port})); s.listen(1); print('up', flush=True); sys.stdin.read()`;
  const child = spawn('ip', ['netns', 'exec', space, 'python3', '-c', script.replace(/^ {4}/gm, '')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return async () => {
    child.stdin.end();
    await once(child, 'exit');
  };
}

/** The same that accepts once a connection waits behind those that fill its queue. */
async function lateServer(port: number): Promise<() => Promise<unknown>> {
  const script = `
    import socket, sys, threading, time
    def serve(c):
        while c.recv(4096): c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n')
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('127.0.0.1', ${port})); s.listen(1); print('up', flush=True)
    def drops():
        rows = [l.split() for l in open('/proc/net/netstat') if l.startswith('TcpExt')]
        return int(rows[1][rows[0].index('ListenOverflows')])
    before = drops()
    while drops() == before: time.sleep(0.01)
    time.sleep(0.3)
    def accept():
        while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start(); sys.stdin.read()`;
  const child = spawn('ip', ['netns', 'exec', space, 'python3', '-c', script.replace(/^ {4}/gm, '')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return async () => {
    child.stdin.end();
    await once(child, 'exit');
  };
}

test('a dropped SYN is sent again after 1 s, and its connection says so', async (t) => {
  if (missing) return t.skip(missing);
  const stop = await lateServer(8081);
  try {
    const { detail, failures } = await measure({ port: 8081, connections: 20, timeoutMs: 20_000 });
    assert.deepEqual(failures, noFailures());
    const found = repeatedConnects('open', detail!.connect.histogram);
    assert.deepEqual(
      found.map(({ id }) => id),
      ['repeated-connect'],
      `longest ${detail!.connect.max / 1e9} s`,
    );
  } finally {
    await stop();
  }
});

test('a full listen queue: overflows and repeated SYNs are counted, connections time out', async (t) => {
  if (missing) return t.skip(missing);
  const stop = await deafServer(8080);
  try {
    const before = counters();
    const result = await measure({ port: 8080 });
    const seen = networkDifference(before, counters());
    assert.ok(seen.listenOverflows > 0, JSON.stringify(seen));
    assert.ok(seen.synRetransmits > 0, JSON.stringify(seen));
    assert.deepEqual(raised(seen), ['listen-overflow', 'syn-retransmit']);
    assert.deepEqual(result.failures, { ...noFailures(), 'client-timo': 40 });
  } finally {
    await stop();
  }
});

test('no local port left: addrunavail, and the client says that it was the limit', async (t) => {
  if (missing) return t.skip(missing);
  inside('sysctl', '-q', '-w', 'net.ipv4.ip_local_port_range=40000 40009');
  const stop = await deafServer(8081);
  try {
    const result = await measure({ port: 8081, rate: 1000 });
    assert.ok(result.failures.addrunavail >= 30, JSON.stringify(result.failures));
    assert.ok(result.detail!.saturation.some((reason) => /no local ports/.test(reason)));
  } finally {
    await stop();
    inside('sysctl', '-q', '-w', 'net.ipv4.ip_local_port_range=32768 60999');
  }
});

test('the kernel gives up before the client does: socket-timo', async (t) => {
  if (missing) return t.skip(missing);
  inside('sysctl', '-q', '-w', 'net.ipv4.tcp_syn_retries=1');
  // Frames to a station that is not there: the other end of the pair drops them.
  ip('-n', space, 'link', 'add', 'hole', 'type', 'veth', 'peer', 'name', 'far');
  ip('-n', space, 'link', 'set', 'far', 'up');
  ip('-n', space, 'addr', 'add', '10.254.0.1/24', 'dev', 'hole');
  ip('-n', space, 'link', 'set', 'hole', 'up');
  ip('-n', space, 'neigh', 'add', '10.254.0.2', 'lladdr', '02:00:00:00:00:01', 'dev', 'hole');
  const before = counters();
  const result = await measure({ host: '10.254.0.2', port: 80, timeoutMs: 20_000, connections: 10 });
  assert.deepEqual(result.failures, { ...noFailures(), 'socket-timo': 10 });
  assert.ok(networkDifference(before, counters()).synRetransmits >= 10);
});

test('a datagram socket that nobody reads: the overflow of its buffer is marked', (t) => {
  if (missing) return t.skip(missing);
  const before = counters();
  inside(
    'python3',
    '-c',
    `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.bind(('127.0.0.1', 0)); [s.sendto(b'x' * 1000, s.getsockname()) for _ in range(100)]`,
  );
  const seen = networkDifference(before, counters());
  assert.ok(seen.udpRcvbufErrors > 50, JSON.stringify(seen));
  assert.deepEqual(raised(seen), ['udp-buffers']);
});

test('Nagle against delayed acknowledgements: the 40 ms mode is seen', async () => {
  // Two small writes without TCP_NODELAY: the second waits for the acknowledgement of the first, which waits, too.
  const server = createServer({ noDelay: false }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
      setImmediate(() => socket.write('ok'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = startHere(
    'client',
    loadProgram({
      protocol: 'http',
      target: { host: '127.0.0.1', port },
      connections: 2,
      // The next request at once: only an exchange that goes to and fro has its acknowledgements delayed.
      rate: null,
      durationS: 2,
      warmupS: 1,
    }),
  );
  try {
    await client.expect('connected', 20_000);
    client.send('go');
    client.send('close');
    const load = loadResult.parse(await client.expect('result', 60_000));
    const found = gates({
      ...sound,
      measurements: { closed: { ...measured(sample, 'closed', 'load')!, load } },
    });
    assert.ok(
      found.some(({ id, invalidates }) => id === 'delayed-ack' && invalidates),
      `p50 ${load.latency.p50} ns; ${JSON.stringify(found)}`,
    );
  } finally {
    await client.end(1000);
    server.close();
  }
});

test('a client that gets its CPU half of the time: its trial is invalid, and says that the client was the limit', async () => {
  const roles = await openLocal();
  const stutter = resolve(packageRoot, 'dist/test/support/stutter.js');
  const starving: Host = Object.create(roles.server, {
    command: {
      value(program: Program): Command {
        const { command, args } = roles.server.command(program);
        return 'script' in program && program.script === 'clients/load'
          ? { command: process.execPath, args: [stutter, command, ...args] }
          : { command, args };
      },
    },
  });
  const trial = await runTrial(
    {
      kind: 'load',
      subject: { kind: 'dispatch', protocol: 'tcp-echo', impl: 'native', backend: 'poll', io: null },
      processes: 1,
      idle: 0,
      windows: [{ name: 'open', connections: 500, rate: 500, warmupMs: 100, durationMs: 1500, size: 64 }],
    },
    {
      roles: { ...roles, server: starving, client: starving },
      pinning: places(starving.look, starving.look),
      earlier: [],
      signal: new AbortController().signal,
    },
  ).finally(() => roles.close());
  assert.equal(trial.error, null);
  assert.equal(trial.status, 'invalid');
  const gate = trial.gates.find(({ id }) => id === 'client-saturated');
  assert.match(
    gate?.message ?? JSON.stringify(trial.gates),
    /sent \d+ us late on average although connections were free/,
  );
});
