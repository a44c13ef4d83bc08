import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { packageRoot } from '../../src/addon.js';
import { frameText, parseFrame, perfFrame } from '../../src/flame/frame.js';
import { parsePerfScript } from '../../src/flame/perf-script.js';
import { rankFamilies, rankLeaves } from '../../src/flame/rank.js';
import { formatFolded, mergeStacks, parseFolded } from '../../src/flame/stacks.js';

/** Recorded with perf 6.1 on Node 20.20 (a net echo server), a few samples of it. */
const recorded = readFileSync(join(packageRoot, 'test/flame/fixtures/libuv-echo.perf.txt'), 'utf8');

describe('frames of perf', () => {
  const cases: [symbol: string, object: string, expected: string][] = [
    ['do_select', '[kernel.kallsyms]', 'do_select_[k]'],
    ['nf_hook_slow', '[nf_tables]', 'nf_hook_slow_[k]'],
    ['finish_task_switch.isra.0', '[kernel.kallsyms]', 'finish_task_switch_[k]'],
    ['do_epoll_pwait.part.0', '[kernel.kallsyms]', 'do_epoll_pwait_[k]'],
    ['uv__io_poll', '/usr/bin/node', 'uv__io_poll_[u]'],
    ['v8::internal::(anonymous namespace)::Invoke', '/usr/bin/node', 'v8::internal::Invoke_[n]'],
    ['dispatch::Poller::wait', '/srv/build/Release/dispatchbench.node', 'dispatch::Poller::wait_[d]'],
    ['dispatch::Poller::wait', '/srv/build/Release/dispatchbench-server', 'dispatch::Poller::wait_[d]'],
    ['pthread_rwlock_rdlock@GLIBC_2.2.5', '/usr/lib/libc.so.6', 'pthread_rwlock_rdlock_[l]'],
    ['__vdso_clock_gettime', '[vdso]', '__vdso_clock_gettime_[l]'],
    ['[unknown]', '/usr/lib/libcrypto.so.3', '[libcrypto.so.3]_[l]'],
    ['JS:*onData file:///srv/echo/echo.mjs:2:16', '/tmp/perf-7.map', 'onData echo.mjs:2_[j]'],
    ['JS:~onData file:///srv/echo/echo.mjs:2:16', '/tmp/perf-7.map', 'onData echo.mjs:2_[j]'],
    ['JS:^get size node:internal/x:9:1', '/tmp/perf-7.map', 'get size node:internal/x:9_[j]'],
    ['Eval:~ node:internal/main/run:1:1', '/tmp/perf-7.map', '(anonymous) node:internal/main/run:1_[j]'],
    ['Builtin:ArrayMap', '/tmp/perf-7.map', 'Builtin:ArrayMap_[n]'],
    ['operator;', '/usr/lib/libx.so', 'operator:_[l]'],
  ];
  for (const [symbol, object, expected] of cases) {
    test(`${symbol} in ${object} is ${expected}`, () => {
      const frame = perfFrame(symbol, object, '/srv/echo');
      assert.equal(frameText(frame), expected);
      assert.deepEqual(parseFrame(expected), frame);
    });
  }
});

describe('perf script', () => {
  test('reads every sample, the real event, and one frame per line', () => {
    const profile = parsePerfScript(recorded, '/srv/echo');
    const headers = recorded.match(/^node /gm)!.length;
    assert.equal(profile.samples, headers);
    assert.deepEqual(profile.events, ['cpu-clock']);
    const deepest = Math.max(...profile.stacks.map((stack) => stack.frames.length));
    const longest = Math.max(...recorded.split('\n\n').map((sample) => sample.split('\n').length - 1));
    assert.equal(deepest, longest + 1, 'the thread comes on top');
  });

  test('has JavaScript, libuv and kernel frames in one stack, root first', () => {
    const { stacks } = parsePerfScript(recorded, '/srv/echo');
    const mixed = stacks.find((stack) => stack.frames.at(-1)!.name === 'tcp_v4_rcv')!;
    const names = mixed.frames.map((frame) => frame.name);
    assert.deepEqual(names.slice(0, 2), ['node', '__libc_start_call_main']);
    for (const name of ['uv_run', 'onData echo.mjs:2', 'tcp_sendmsg']) assert.ok(names.includes(name), name);
    assert.ok(names.indexOf('uv_run') < names.indexOf('onData echo.mjs:2'));
    assert.ok(names.indexOf('onData echo.mjs:2') < names.indexOf('tcp_sendmsg'));
  });

  test('marks a broken chain instead of showing rubbish as a thread start', () => {
    const { stacks } = parsePerfScript(recorded);
    const malloc = stacks.find((stack) => stack.frames.at(-1)!.name === '_int_malloc')!;
    assert.deepEqual(malloc.frames.map(frameText), ['node', '[callers lost]_[l]', '_int_malloc_[l]']);
  });

  test('reads a thread name with spaces, periods in the header and an empty stack', () => {
    const text =
      'V8 Worker 7/8 [001]  12.5:    2004008 cycles:P: \n\n# comment\nx 1/1 1.0: cycles:P:\n\tff f (/bin/x)\n';
    const profile = parsePerfScript(text);
    assert.deepEqual(profile.events, ['cycles:P']);
    assert.deepEqual(
      profile.stacks.map((stack) => stack.frames.map((frame) => frame.name)),
      [
        ['V8 Worker', '[callers lost]'],
        ['x', '[callers lost]', 'f'],
      ],
    );
  });
});

describe('folded stacks', () => {
  test('come back as they were written', () => {
    const { stacks } = parsePerfScript(recorded, '/srv/echo');
    assert.deepEqual(parseFolded(formatFolded(stacks)), stacks);
  });

  test('equal stacks are one line, lines are in order', () => {
    const merged = mergeStacks(parseFolded('b;c_[k] 2\na 1\nb;c_[k] 3\n'));
    assert.equal(formatFolded(merged), 'a 1\nb;c_[k] 5\n');
  });

  test('a line that is none is named', () => {
    assert.throws(() => parseFolded('a;b 1\nnonsense\n'), /line 2 .*nonsense/);
  });
});

describe('ranking', () => {
  const stacks = parseFolded(
    [
      'n;main_[d];core_sys_select_[k];do_select_[k];sock_poll_[k];tcp_poll_[k] 60',
      'n;main_[d];core_sys_select_[k];do_select_[k];schedule_hrtimeout_range_[k];__schedule_[k];finish_task_switch_[k] 10',
      'n;main_[d];__x64_sys_epoll_wait_[k];ep_send_events_[k];tcp_poll_[k] 5',
      'n;main_[d];__x64_sys_sendto_[k];tcp_sendmsg_[k] 6',
      'n;main_[d];__x64_sys_sendto_[k];tcp_sendmsg_[k];net_rx_action_[k];tcp_v4_rcv_[k] 7',
      'n;main_[d] 8',
      'n;main_[d];page_fault_[k] 4',
    ].join('\n'),
  );

  test('families divide the samples by what the leaf was doing', () => {
    assert.deepEqual(
      rankFamilies(stacks).map(({ name, weight }) => [name, weight]),
      [
        ['select scan', 60],
        ['scheduler', 10],
        ['addon or native server (C++)', 8],
        ['network receive (softirq)', 7],
        ['network send', 6],
        ['epoll wait', 5],
        ['other kernel', 4],
      ],
    );
  });

  test('leaves are summed over all their callers', () => {
    const [first] = rankLeaves(stacks);
    assert.deepEqual(first, { name: 'tcp_poll_[k]', weight: 65, share: 0.65 });
  });
});
