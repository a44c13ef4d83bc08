/**
 * Ways to have the works of a device done, and what takes their place in comparisons of memory. A new one is an entry here;
 * where its parts lie is in parts.ts.
 */
import type { HeldSpec } from '../contract/gateway.js';
import type { Part } from './gateway.js';

type At = (part: Part) => readonly string[];

export interface Runtime {
  /** rows and labels call it so */
  name: string;
  title: string;
  needs: readonly Part[];
  /**
   * Runs the module once: requests on stdin, replies on stdout.
   * @param at the command line of a part, or the path of one that is a file
   */
  once?(at: At): readonly string[];
  /** Measures calls of it; flags say which. @param at as above */
  calls?(at: At): readonly string[];
  /** Makes as many instances as its next argument says, and tells what they take. @param at as above */
  instances?(at: At): readonly string[];
}

const onNode = (at: At, script: string, ...words: readonly string[]): readonly string[] => [
  ...at('node'),
  `${at('node-gateways')[0]}/${script}.js`,
  ...words,
];

/** An engine with a command line. */
const engine = (name: string, title: string, part: Part): Runtime => ({
  name,
  title,
  needs: [part, 'device'],
  once: (at) => [...at(part), ...at('device')],
});

/** Gateways that stand, which is when they listen, and that nobody asks for anything. */
const held = (at: At, spec: HeldSpec): readonly string[] => [
  ...at('node'),
  `${at('node-clients')[0]}/hold-instances.js`,
  JSON.stringify({ ...spec, command: [...spec.command, '--listen', '127.0.0.1:0'] }),
];

export const runtimes: readonly Runtime[] = [
  {
    name: 'host',
    title: 'wasmtime in a program in Rust, which has the same works in its own code',
    needs: ['gateway-host', 'device'],
    once: (at) => [...at('gateway-host'), ...['run', '--deadline-ms', '60000', '--module'], ...at('device')],
    calls: (at) => [...at('gateway-host'), 'calls', '--module', ...at('device')],
    instances: (at) => [
      ...at('gateway-host'),
      ...['instances', '--mode', 'pre', '--module', ...at('device')],
      ...['--input', '{"work":"hello","argument":"one"}', '--count'],
    ],
  },
  {
    name: 'node',
    title: 'V8 in Node',
    needs: ['node', 'node-gateways', 'device'],
    once: (at) => onNode(at, 'once', ...at('device')),
    calls: (at) => onNode(at, 'calls', '--module', ...at('device')),
  },
  {
    name: 'chromium',
    title: 'V8 in a page of Chromium',
    needs: ['node', 'node-gateways', 'chromium', 'device'],
    once: (at) => onNode(at, 'chromium', ...at('chromium'), ...at('device')),
  },
  engine('wasmtime', 'the command line of wasmtime', 'wasmtime'),
  engine('wasmedge', 'the command line of WasmEdge', 'wasmedge'),
  engine('wazero', 'the command line of wazero', 'wazero'),
  engine(
    'wazero_arm64',
    'the command line of wazero for arm64, its processor emulated by QEMU',
    'wazero-arm64',
  ),
  {
    name: 'process',
    title: 'a process of the native gateway',
    needs: ['gateway-native', 'node', 'node-clients'],
    instances: (at) => held(at, { command: [...at('gateway-native')] }),
  },
  {
    name: 'container',
    title: 'a container of Docker around such a process, and what Docker itself takes for it',
    needs: ['container', 'image', 'daemon', 'node', 'node-clients'],
    instances: (at) =>
      held(at, {
        command: [...at('container'), '--network=none', ...at('image')],
        within: at('daemon')[0]!,
      }),
  },
  {
    name: 'ebpf',
    title: 'a program of eBPF in the kernel, which accounts its pages to it',
    needs: ['ebpf'],
    instances: (at) => at('ebpf'),
  },
];

export const runtimeNamed = (name: string): Runtime | null =>
  runtimes.find((one) => one.name === name) ?? null;
