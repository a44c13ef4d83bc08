import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import { dgramBenchmark } from 'dispatchbench/dgram-benchmark';
import { packageRoot, packageVersion, programPath } from '../../src/addon.js';
import { dgramResult, dgramStreamLine } from '../../src/contract/dgram.js';
import { dgramConditions, judgeDatagrams } from '../../src/dgram-benchmark/conditions.js';
import { type DgramInput, readOptions } from '../../src/dgram-benchmark/options.js';
import { ServerProcess } from '../support/server-process.js';

const program = programPath('dispatchbench-server');
const servers: ServerProcess[] = [];
after(() => {
  for (const server of servers) server.kill();
});

async function server(...args: string[]): Promise<{ port: number; process: ServerProcess }> {
  const process = new ServerProcess(program, ['--protocol', 'udp-echo', '--backend', 'poll', ...args]);
  servers.push(process);
  return { port: (await process.hello()).port, process };
}

describe('pacing', () => {
  // What the schedule asks is exact at any rate; what this machine holds of it is recorded, not asserted.
  const cases: (Partial<DgramInput> & { overallRate: number; total: number })[] = [
    { overallRate: 10, duration: 1, total: 10 },
    { overallRate: 100, duration: 0.5, total: 50 },
    { overallRate: 10_000, duration: 0.3, total: 3000 },
    { overallRate: 10_000, duration: 0.3, workers: 3, connections: 5, total: 3000 },
    { overallRate: 200_000, duration: 0.1, total: 20_000 },
    { overallRate: 200_000, duration: 0.1, workers: 2, connections: 2, total: 20_000 },
    { overallRate: 7, duration: 0.5, total: 4 },
    { overallRate: 1000, duration: 5, amount: 123, total: 123 },
  ];
  for (const { total, ...input } of cases) {
    const { overallRate, workers = 1, duration } = input;
    test(`${overallRate}/s for ${duration} s with ${workers} workers is ${total} datagrams`, async (context) => {
      const { port } = await server();
      const result = await dgramBenchmark({ url: `127.0.0.1:${port}`, connections: workers, ...input });
      const { offered, lagP50, lagP99 } = result.schedule;
      // A last datagram sent late makes the measured time longer than the asked one, not the offered rate lower.
      assert.equal(Math.round(offered! * Math.min(result.duration, input.duration!)), total);
      assert.ok(result.sent <= total);
      assert.ok(result.sent === total || result.clientSaturated, 'a schedule not held is said to be so');
      assert.equal(result.sent, result.received + result.lost);
      context.diagnostic(`lag p50 ${lagP50.toFixed(4)} ms, p99 ${lagP99.toFixed(3)} ms`);
    });
  }

  test('exponential gaps make about the asked number, and never the same twice', async () => {
    const { port } = await server();
    const run = (seed: number) =>
      dgramBenchmark({
        url: `127.0.0.1:${port}`,
        connections: 1,
        overallRate: 20_000,
        duration: 0.2,
        arrival: 'exponential',
        seed,
      });
    const [one, other] = [await run(1), await run(2)];
    const offered = (result: typeof one) => Math.round(result.schedule.offered! * result.duration);
    for (const result of [one, other]) {
      // Poisson with mean 4000: 7 standard deviations.
      assert.ok(Math.abs(offered(result) - 4000) < 7 * Math.sqrt(4000));
    }
    assert.notEqual(offered(one), offered(other));
  });
});

describe('results, not crashes', () => {
  const sizes = [0, 1, 15, 16, 39, 40, 64, 1472, 65_507];
  for (const size of sizes) {
    // Default socket buffers hold one datagram of the largest size and its bookkeeping.
    const window = size > 60_000 ? 1 : 3;
    const loops: Partial<DgramInput>[] = [
      { overallRate: 200 },
      { pipelining: window },
      { overallRate: 200, engine: 'js' },
      { pipelining: window, engine: 'js' },
    ];
    for (const loop of loops) {
      test(`${size} bytes, ${loop.overallRate ? 'open' : 'closed'} loop, ${loop.engine ?? 'native'}`, async () => {
        const { port } = await server();
        const result = await dgramBenchmark({
          url: `127.0.0.1:${port}`,
          connections: 1,
          duration: 10,
          amount: 40,
          size,
          ...loop,
        });
        // Two of the largest that come together do not fit; then the kernel says so.
        assert.equal(result.received + result.loss.serverSocket + result.loss.clientSocket, 40);
        if (size < 60_000) assert.equal(result.received, 40);
        assert.equal(result.mismatches, 0);
        assert.equal(result.latency.totalCount, result.received);
        assert.equal(result.identity, size < 16 ? 'none' : size < 40 ? 'compact' : 'full');
        assert.equal(result.unknown.length > 0, size < 16);
      });
    }
  }

  // The native one's are in loss.test.ts.
  test("the js engine's own socket overflows, and the kernel says so", {
    skip: process.platform !== 'linux' && 'Linux tells of drops by socket',
  }, async () => {
    const { port } = await server();
    const result = await dgramBenchmark({
      url: `127.0.0.1:${port}`,
      ...{ connections: 1, duration: 10, amount: 400, pipelining: 200, size: 1400, timeout: 0.3 },
      ...{ receiveBuffer: 4096, engine: 'js' },
    });
    assert.ok(result.loss.seen.clientSockets);
    assert.ok(result.loss.clientSocket > 0, 'one burst of replies is larger than the socket');
    assert.equal(result.received + result.lost, 400);
    assert.equal(result.loss.unexplained, 0);
  });

  for (const loop of [{ overallRate: 300 }, { pipelining: 2 }]) {
    test(`a closed port in the range, ${loop.overallRate ? 'open' : 'closed'} loop`, async () => {
      const { port, process } = await server('--ports', '2');
      const result = await dgramBenchmark({
        url: `127.0.0.1:${port}`,
        ports: 3,
        connections: 1,
        duration: 5,
        amount: 300,
        timeout: 0.3,
        ...loop,
      });
      const closed = result.perPort?.[2];
      assert.equal(closed, undefined, 'ports are listed only when asked for');
      assert.equal(result.received, 200);
      assert.equal(result.loss.unreachable, 100);
      assert.equal(result.resets, 100);
      assert.equal(result.portSpread.lossRate.max, 1);
      await process.stop();
    });
  }

  const engineLoops = (['native', 'js'] as const).flatMap((engine) => [
    { engine, overallRate: 1000 },
    { engine, pipelining: 8 },
  ]);
  for (const loop of engineLoops) {
    const name = `${loop.overallRate ? 'open' : 'closed'} loop, ${loop.engine}`;

    test(`a closed port with a socket of its own, ${name}`, async () => {
      const { port, process } = await server('--ports', '2');
      const result = await dgramBenchmark({
        url: `127.0.0.1:${port}`,
        ports: 3,
        connections: 3,
        duration: 5,
        amount: 300,
        timeout: 0.3,
        ...loop,
      });
      assert.equal(result.sent, 300);
      assert.ok(result.loss.unreachable > 0);
      assert.equal(result.received + result.loss.unreachable, 300, 'each refusal is one datagram');
      assert.equal(result.resets, result.loss.unreachable);
      await process.stop();
    });

    test(`a server that ends in the middle, ${name}`, async () => {
      const mortal = createSocket('udp4');
      let answered = 0;
      mortal.on('message', (datagram, { port }) => {
        if (answered === 200) return;
        mortal.send(datagram, port, '127.0.0.1', () => answered === 200 && mortal.close());
        answered++;
      });
      const closed = once(mortal, 'close');
      mortal.bind(0, '127.0.0.1');
      await once(mortal, 'listening');
      const result = await dgramBenchmark({
        url: `127.0.0.1:${mortal.address().port}`,
        connections: 1,
        duration: 30,
        amount: 800,
        timeout: 0.05,
        ...loop,
      });
      await closed;
      assert.deepEqual([result.sent, result.received], [800, 200]);
      // What the server's socket held at its end was lost without a word.
      assert.ok(result.loss.unreachable >= 400, `${result.loss.unreachable} of 600 were refused`);
      assert.equal(result.resets, result.loss.unreachable);
    });

    test(`what the kernel does not send is not sent, ${name}`, async () => {
      // Broadcast without SO_BROADCAST.
      const url = '255.255.255.255:9-10';
      const result = await dgramBenchmark({ url, connections: 1, duration: 5, amount: 20, ...loop });
      assert.deepEqual([result.sent, result.lost, result.errors], [0, 0, 20]);
    });
  }

  test('a server that answers something else is judged by --expect-body', async () => {
    const { port } = await server();
    const ask = (expectBody: string) =>
      dgramBenchmark({
        url: `127.0.0.1:${port}`,
        connections: 1,
        duration: 5,
        amount: 20,
        timeout: 0.2,
        body: 'ping',
        expectBody,
      });
    const right = await ask('ping');
    assert.equal(right.received, 20);
    assert.equal(right.size, 4);
    const wrong = await ask('pong');
    assert.equal(wrong.corrupted, 20);
    assert.equal(wrong.received, 0);
    assert.equal(wrong.loss.badReply, 20);
  });

  test('bailout stops, and what was not sent is no loss', async () => {
    const { port, process } = await server();
    await process.stop();
    const result = await dgramBenchmark({
      url: `127.0.0.1:${port}`,
      connections: 1,
      duration: 20,
      bailout: 5,
      timeout: 0.2,
    });
    assert.ok(result.unreachable >= 5 && result.duration < 20);
  });
});

describe('the instance', () => {
  test('emits start, tick, response and done, and is thenable', async () => {
    const { port } = await server();
    const seen: string[] = [];
    let responses = 0;
    const benchmark = dgramBenchmark({
      url: `127.0.0.1:${port}`,
      connections: 2,
      overallRate: 200,
      duration: 0.5,
      sampleInt: 100,
    });
    benchmark.on('start', () => seen.push('start'));
    benchmark.on('tick', () => seen.push('tick'));
    benchmark.on('response', (client, status, bytes, ms) => {
      responses++;
      assert.ok(client.flow >= 0 && status === 0 && bytes === 64 && ms >= 0);
    });
    const done = once(benchmark, 'done');
    const result = await benchmark;
    assert.deepEqual((await done)[0], result);
    assert.equal(responses, result.received);
    assert.equal(seen[0], 'start');
    assert.ok(seen.filter((event) => event === 'tick').length >= 5);
    assert.deepEqual(dgramResult.parse(JSON.parse(JSON.stringify(result))), result);
  });

  test('a window beyond what the sockets hold is not sent: a duration, or a stop, would not be kept', async () => {
    const silent = createSocket('udp4').bind(0, '127.0.0.1');
    await once(silent, 'listening');
    const [connections, pipelining] = [50, 65_536];
    const result = await dgramBenchmark({
      url: `127.0.0.1:${silent.address().port}`,
      ...{ connections, pipelining, duration: 0.2, timeout: 0.5 },
    });
    silent.close();
    assert.equal(result.received, 0);
    // A smallest datagram takes 768 bytes of a buffer on Linux: a default of 208 KiB holds 277 of them.
    assert.ok(result.sent >= connections && result.sent < (connections * pipelining) / 2, `${result.sent}`);
  });

  test('stop() ends it early and the ledger still closes', async () => {
    const { port } = await server();
    const benchmark = dgramBenchmark({
      url: `127.0.0.1:${port}`,
      connections: 1,
      overallRate: 500,
      duration: 60,
    });
    benchmark.once('start', () => setTimeout(() => benchmark.stop(), 100));
    const result = await benchmark;
    assert.ok(result.duration < 30);
    assert.equal(result.sent, result.received + result.lost);
  });

  test('a warm-up is reported apart', async () => {
    const { port } = await server();
    const result = await dgramBenchmark({
      url: `127.0.0.1:${port}`,
      connections: 1,
      duration: 1,
      amount: 10,
      warmup: { connections: 2, duration: 0.1 },
    });
    assert.equal(result.sent, 10);
    assert.equal(dgramResult.parse(result.warmup).connections, 2);
  });

  test('results add up', async () => {
    const { port } = await server();
    const one = await dgramBenchmark({ url: `127.0.0.1:${port}`, connections: 1, duration: 1, amount: 100 });
    const sum = dgramBenchmark.aggregateResult([one, one]);
    assert.deepEqual(dgramResult.parse(sum), sum);
    assert.equal(sum.sent, 200);
    assert.equal(sum.latency.totalCount, 200);
    assert.equal(sum.latency.p50, one.latency.p50);
    assert.throws(() => dgramBenchmark.aggregateResult([]), /no result/);
  });

  test('a host that does not exist is one sentence', async () => {
    await assert.rejects(dgramBenchmark({ url: 'no-such-host.invalid:9' }).then(), /cannot be resolved/);
  });
});

describe('options', () => {
  const wrong: [Partial<DgramInput>, RegExp][] = [
    [{ url: 'nowhere' }, /not a target/],
    [{ url: '127.0.0.1:9-8' }, /not a target/],
    [{ url: '127.0.0.1:65535', ports: 2 }, /above 65535/],
    [{ url: '127.0.0.1:1-3', ports: 2 }, /give one of them/],
    [{ connections: 2, workers: 3 }, /need as many connections/],
    [{ connectionRate: 1, overallRate: 1 }, /not both/],
    [{ loop: 'open' }, /needs a rate/],
    [{ loop: 'closed', overallRate: 5 }, /has no rate/],
    [{ size: 65_508 }, /size/],
    [{ body: 'hello', size: 42 }, /leave out the size/],
    [{ duration: 0 }, /duration/],
    [{ connections: 1.5 }, /connections/],
  ];
  for (const [input, says] of wrong) {
    test(`${JSON.stringify(input)} is refused`, () => {
      assert.throws(() => readOptions({ url: '127.0.0.1:9', ...input }), says);
    });
  }

  test('a range in the url is a number of ports, and a body sets the size', () => {
    const { ports, size, url } = readOptions({ url: 'udp://[::1]:10-19', body: 'abc' });
    assert.deepEqual({ ports, size, url }, { ports: 10, size: 43, url: 'udp://[::1]:10-19' });
  });
});

describe('thresholds', () => {
  test('hold for what is within them, and say nothing of the server where the client was the limit', async () => {
    const { port } = await server();
    const measured = await dgramBenchmark({
      url: `127.0.0.1:${port}`,
      connections: 1,
      duration: 5,
      amount: 50,
    });
    const result = { ...measured, reasons: [] };
    const outcome = (text: string, of = result) => judgeDatagrams(dgramConditions(text), of)[0]!.outcome;
    for (const text of ['p99<100s', 'p(97.5) < 100s', 'loss<=0%', 'lost=0', 'requests>1', 'p99.99>=1ns'])
      assert.equal(outcome(text), 'passed', text);
    for (const text of ['p99<1ns', 'p99_9<=0.001us', 'rate>1000000000', 'max<1us'])
      assert.equal(outcome(text), 'failed', text);
    assert.equal(outcome('achieved>=0.99'), 'not resolved', 'nothing is due in a closed loop');
    const busy = { ...result, reasons: ['the load thread was busy'] } as unknown as typeof result;
    assert.deepEqual([outcome('p99<1ns', busy), outcome('p99<100s', busy)], ['not resolved', 'passed']);
  });
  for (const text of [
    'p99>5',
    'p99>5%',
    'loss>1ms',
    'nonsense>1',
    'errors<5',
    'lost>1%',
    'p99<+5ms',
    'p0<1ms',
  ]) {
    test(`'${text}' is refused`, () => {
      assert.throws(() => dgramConditions(text), /not measured|unit|share/);
    });
  }
});

describe('the program', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [resolve(packageRoot, 'bin/dgram-benchmark.js'), ...args], {
      encoding: 'utf8',
    });

  test('-j prints one JSON object on stdout and the tables on stderr', async () => {
    const { port } = await server('--ports', '2');
    const { stdout, stderr, status } = run(
      '-j',
      '-l',
      '-c',
      '1',
      '-a',
      '50',
      '-W',
      '[',
      '-c',
      '1',
      '-d',
      '0.1',
      ']',
      `127.0.0.1:${port}-${port + 1}`,
    );
    assert.equal(status, 0);
    const result = dgramResult.parse(JSON.parse(stdout));
    assert.equal(result.sent, 50);
    assert.equal(result.ports, 2);
    assert.match(stderr, /sent 50 = received 50 \+ lost 0/);
    assert.match(stderr, /97.5%/);
  });

  test('--on-port starts the server and finds its port', () => {
    const { stderr, status } = run(
      '-c',
      '1',
      '-a',
      '50',
      '--on-port',
      '127.0.0.1:1',
      '--',
      program,
      '--protocol',
      'udp-echo',
      '--backend',
      'poll',
    );
    assert.equal(status, 0);
    assert.match(stderr, /received 50/);
  });

  test('a condition that does not hold is a sentence and an exit code, in the old spelling as well', async () => {
    const { port } = await server();
    const { stdout, stderr, status } = run(
      ...['-c', '1', '-a', '50', '--threshold', 'p50<1ns,loss<50%', '--fail-if', 'max>1ns', '-j'],
      `127.0.0.1:${port}`,
    );
    // Whether the client was the limit is the machine's business.
    const { reasons } = JSON.parse(stdout);
    assert.equal(status, reasons.length > 0 ? 3 : 2);
    assert.match(stderr, /^dgram-benchmark: 'p50<1ns' (does not hold|is not resolved): p50 is \d/m);
    assert.match(stderr, /^dgram-benchmark: 'max<=1ns' /m);
    assert.doesNotMatch(stderr, /loss<50%/);
  });

  test('--json-lines tells of the start, every interval and the result; --percentiles prints those', async () => {
    const { port } = await server();
    const { stdout, stderr } = run(
      ...['-c', '1', '-d', '0.2', '-L', '50', '--json-lines', '--percentiles', '50,99.5'],
      `127.0.0.1:${port}`,
    );
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => dgramStreamLine.parse(JSON.parse(line)));
    assert.deepEqual([lines[0]!.event, lines.at(-1)!.event], ['start', 'result']);
    assert.ok(lines.filter(({ event }) => event === 'tick').length >= 3);
    assert.match(stderr, /│ 99\.5 +│/);
    assert.match(stderr, /1 socket, 1 port, 64 bytes/);
  });

  test('its version is that of the package', () => {
    assert.equal(run('--version').stdout, `${packageVersion()}\n`);
  });

  for (const [args, says] of [
    [[], /missing required argument/],
    [['nowhere'], /not a target/],
    [['-c', 'x', '127.0.0.1:9'], /not a whole number/],
    [['--fail-if', 'p99>5', '127.0.0.1:9'], /needs a unit/],
    [['-W', '[', '-c', '1', '127.0.0.1:9'], /ends nowhere/],
    [['--on-port', '127.0.0.1:9'], /needs a command/],
    [['--on-port', '127.0.0.1:9', '--', 'false'], /does not listen/],
  ] as [string[], RegExp][]) {
    test(`${args.join(' ') || 'nothing'} is refused with one sentence`, () => {
      const { stdout, stderr, status } = run(...args);
      assert.equal(status, 1);
      assert.equal(stdout, '');
      assert.match(stderr, says);
    });
  }
});
