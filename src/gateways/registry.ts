/** Gateways. A new one is a program that keeps to src/contract/gateway.ts, and an entry here. */
import type { Gateway, Part } from './gateway.js';

type At = (part: Part) => readonly string[];

/** Where every gateway listens and whom it asks for what is not its own. */
const listening = ['--listen', '{address}:{port}', '--upstream', '{upstream}'];

const native = (name: string, title: string, ...flags: string[]): Gateway => ({
  name,
  title,
  needs: ['gateway-native'],
  command: (at) => [...at('gateway-native'), ...listening, ...flags],
});

const kept = ['--keep-alive', 'on'];

/** The native one in a container; `options` are Docker's for it. */
const contained = (
  name: string,
  title: string,
  { options, listen, more = [] }: { options: readonly string[]; listen: string; more?: readonly Part[] },
): Gateway => ({
  name,
  title,
  contained: true,
  needs: ['container', ...more, 'image'],
  command: (at) => [
    ...at('container'),
    ...more.flatMap((part) => at(part)),
    ...options,
    '--cpuset-cpus={cpus}',
    ...at('image'),
    ...['--listen', `${listen}:{port}`, '--upstream', '{upstream}'],
  ],
});

/** On the network of the machine. */
const nativeDocker = contained(
  'native_docker',
  'the native gateway in a container on the network of the machine',
  { options: ['--network=host'], listen: '{address}' },
);

/** On Docker's bridge; Docker accepts its connections for it. */
const published = { options: ['--publish={address}:{port}:{port}'], listen: '0.0.0.0' };

/** The native one in a virtual machine, `part` its whole command line. */
const guest = (name: string, title: string, part: Part): Gateway => ({
  name,
  title,
  needs: [part],
  ownKernel: true,
  command: (at) => at(part),
});

/** A module inside of the gateway's own process. */
const embedded = (
  name: string,
  title: string,
  mode: string,
  { module = 'prefixer', flags = [] }: { module?: Part; flags?: readonly string[] } = {},
): Gateway => ({
  name,
  title,
  needs: ['gateway-host', module],
  command: (at) => [
    ...at('gateway-host'),
    ...listening,
    ...['--module', ...at(module), '--mode', mode],
    ...flags,
  ],
  instances: (at) => [
    ...at('gateway-host'),
    ...['instances', '--module', ...at(module), '--mode', mode, '--count'],
  ],
});

/** A process for each request, which reads the input and writes the reply. */
const spawning = (
  name: string,
  title: string,
  needs: readonly Part[],
  perRequest: (at: At) => readonly string[],
): Gateway => ({
  name,
  title,
  needs: ['gateway-host', ...needs],
  command: (at) => [...at('gateway-host'), ...listening, '--mode', 'cli', '--', ...perRequest(at)],
  perRequest,
});

const eventDriven = (backend: string): Gateway => ({
  name: `event_${backend}`,
  title: `event-driven gateway in C++ over ${backend}, connections kept`,
  keepsAlive: true,
  needs: ['event-gateway'],
  command: (at) => [...at('event-gateway'), ...listening, ...kept, '--backend', backend],
});

const onNode = (
  name: string,
  title: string,
  script: string,
  flags: (at: At) => readonly string[] = () => [],
): Gateway => ({
  name,
  title,
  keepsAlive: true,
  needs: ['node', 'node-gateways'],
  command: (at) => [
    ...at('node'),
    `${at('node-gateways')[0]}/${script}.js`,
    ...listening,
    ...kept,
    ...flags(at),
  ],
});

/** What is exchanged under load: a module with one instance for all requests, which says its version. */
const exchanged = ['--module', '{module}'];

const hotHost = (at: At, ...flags: string[]): string[] => [
  ...at('gateway-host'),
  ...listening,
  ...kept,
  ...['--mode', 'hot', ...exchanged, ...flags],
];

const hotNode = (at: At, ...flags: string[]): string[] => [
  ...at('node'),
  `${at('node-gateways')[0]}/hot.js`,
  ...listening,
  ...kept,
  ...exchanged,
  ...flags,
];

/** Its module is another one under load, which it exchanges itself, or somebody around it brings to its clients. */
const updated = (
  name: string,
  title: string,
  needs: readonly Part[],
  command: (at: At) => readonly string[],
): Gateway => ({ name, title, keepsAlive: true, template: 'counter', needs: [...needs, 'counter'], command });

/** No gateway: an echo server of datagrams whose filter is replaced, under the same load. */
const filtered = (name: string, title: string, language: string, more: readonly Part[]): Gateway => ({
  ...updated(name, title, ['gateway-host', ...more], (at) => [
    ...at('gateway-host'),
    ...['filtered', '--listen', '{address}:{port}', ...exchanged, '--filter', language],
  ]),
  datagrams: true,
});

/** The same, by starting what does not exchange it; `way` is one of gateways/node/renewal.ts. */
const supervised = (
  name: string,
  title: string,
  way: string,
  needs: readonly Part[],
  command: (at: At) => readonly string[],
): Gateway =>
  updated(name, title, ['node', 'node-gateways', ...needs], (at) => [
    ...at('node'),
    `${at('node-gateways')[0]}/supervisor.js`,
    ...['--way', way, ...exchanged, '--listen', '{address}:{port}', '--'],
    ...command(at),
  ]);

const threads = ['--threads', '2', ...kept];

export const gateways: readonly Gateway[] = [
  { ...native('native_local', 'native gateway, one thread, a connection for each request'), isReports: true },
  { ...nativeDocker, isReports: true },
  {
    ...contained(
      'native_docker_bridge',
      "the native gateway in a container on Docker's bridge, its port published",
      published,
    ),
    ownNetwork: true,
  },
  {
    ...contained('native_gvisor', "the same, on gVisor's kernel in place of the machine's", {
      ...published,
      more: ['sandbox'],
    }),
    ownNetwork: true,
    ownKernel: true,
  },
  guest(
    'native_microvm',
    'the native gateway as the one process of a virtual machine of QEMU',
    'microvm-kvm',
  ),
  guest('native_microvm_emulated', 'the same, its CPU emulated', 'microvm-tcg'),
  {
    ...embedded(
      'wasm_host_wasmtime_embedded',
      'wasmtime in the process, a store and an instance for each request',
      'ondemand',
    ),
    isReports: true,
  },
  {
    ...spawning(
      'wasm_host_wasmtime',
      'a wasmtime process for each request, compiled code cached on disk',
      ['wasmtime', 'prefixer'],
      (at) => [...at('wasmtime'), ...at('prefixer')],
    ),
    isReports: true,
  },
  {
    ...spawning('wasm_host_cli', 'a WasmEdge process for each request', ['wasmedge', 'prefixer'], (at) => [
      ...at('wasmedge'),
      ...at('prefixer'),
    ]),
    isReports: true,
  },
  spawning(
    'wasm_host_wasmtime_nocache',
    'a wasmtime process for each request, compiled anew',
    ['wasmtime', 'prefixer'],
    (at) => [...at('wasmtime'), '-C', 'cache=n', ...at('prefixer')],
  ),
  spawning('wasm_host_wazero', 'a wazero process for each request', ['wazero', 'prefixer'], (at) => [
    ...at('wazero'),
    ...at('prefixer'),
  ]),
  spawning(
    'wasm_host_self_cli',
    "a process of the gateway's own runner for each request",
    ['prefixer'],
    (at) => [...at('gateway-host'), 'run', '--module', ...at('prefixer')],
  ),
  spawning('spawn_floor', 'a process of cat for each request: what starting one costs', ['cat'], (at) =>
    at('cat'),
  ),
  embedded('wasm_host_pre', 'wasmtime in the process, imports resolved once', 'pre'),
  embedded('wasm_host_pool', 'wasmtime in the process, instances from a pool', 'pool'),
  embedded('wasm_host_aot', 'wasmtime in the process, module compiled beforehand', 'aot', {
    module: 'prefixer-compiled',
  }),
  embedded('wasm_host_aot_rust', 'the same, the module written in Rust', 'aot', {
    module: 'prefixer-rust-compiled',
  }),
  embedded('wasm_host_rust', 'wasmtime in the process, the module written in Rust', 'ondemand', {
    module: 'prefixer-rust',
  }),
  {
    ...native('native_threads', 'native gateway, two threads, connections kept', ...threads),
    keepsAlive: true,
  },
  {
    ...embedded(
      'wasm_threads_ondemand',
      'wasmtime in the process, two threads, connections kept',
      'ondemand',
      {
        flags: threads,
      },
    ),
    keepsAlive: true,
  },
  {
    ...embedded(
      'wasm_threads_pool',
      'wasmtime in the process, instances from a pool, two threads, connections kept',
      'pool',
      { flags: threads },
    ),
    keepsAlive: true,
  },
  native('native_backlog', 'native gateway with room for 4096 connections that wait', '--backlog', '4096'),
  eventDriven('epoll'),
  eventDriven('poll'),
  eventDriven('select'),
  onNode('node_http', 'node:http', 'http'),
  {
    ...onNode('node_wasm', 'node:http with an instance of the module for each request', 'wasm', (at) => [
      '--module',
      ...at('prefixer'),
    ]),
    needs: ['node', 'node-gateways', 'prefixer'],
  },
  updated(
    'hot_host',
    'wasmtime in the process, the module exchanged while it serves',
    ['gateway-host'],
    (at) => hotHost(at),
  ),
  updated('hot_node', 'node:http, the module exchanged while it serves', ['node', 'node-gateways'], (at) =>
    hotNode(at),
  ),
  supervised('restart_host', 'hot_host ended and started again', 'restart', ['gateway-host'], (at) =>
    hotHost(at, '--watch', 'off'),
  ),
  supervised('restart_node', 'hot_node ended and started again', 'restart', [], (at) =>
    hotNode(at, '--watch', 'off'),
  ),
  supervised(
    'handover_host',
    'a new hot_host beside the old one at the same port (SO_REUSEPORT), which ends behind its requests',
    'hand-over',
    ['gateway-host'],
    (at) => hotHost(at, '--watch', 'off', '--reuse-port', 'on'),
  ),
  supervised('nginx_reload', 'nginx, which reads its configuration again', 'nginx', ['nginx'], (at) =>
    at('nginx'),
  ),
  {
    ...supervised(
      'restart_container',
      'native_docker stopped, and run again of the new version',
      'container',
      nativeDocker.needs,
      (at) => [...nativeDocker.command(at), ...kept],
    ),
    contained: true,
  },
  filtered('filter_ebpf', 'the filter of a UDP server replaced, a program of eBPF', 'ebpf', ['ebpf']),
  filtered('filter_classic', 'the same, a classic filter, which takes no privilege', 'classic', []),
  {
    ...supervised('guest_reboot', 'native_microvm ended and booted again', 'reboot', ['microvm-kvm'], (at) =>
      at('microvm-kvm'),
    ),
    ownKernel: true,
  },
  {
    ...supervised('guest_reboot_emulated', 'the same, its CPU emulated', 'reboot', ['microvm-tcg'], (at) =>
      at('microvm-tcg'),
    ),
    ownKernel: true,
  },
  onNode('node_event', 'TypeScript over epoll, on our addon', 'dispatch', () => ['--backend', 'epoll']),
];

export const gatewayNamed = (name: string): Gateway | null =>
  gateways.find((one) => one.name === name) ?? null;
