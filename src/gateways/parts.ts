/** Where the parts of gateways lie on this machine, and how to get what does not. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { packageRoot, programPath } from '../addon.js';
import type { FoundRuntime } from '../contract/device.js';
import type { FoundGateway } from '../contract/gateway.js';
import { howToBuild } from '../installation.js';
import type { Gateway, Part } from './gateway.js';
import { gateways } from './registry.js';
import { type Runtime, runtimes } from './runtimes.js';

interface Place {
  /** the part's command line, or its path; null: it is not there */
  find(): readonly string[] | null;
  /** what to do where it is not */
  get: string;
}

const build = 'dispatchbench gateways setup builds it';
const built = (...path: string[]) => resolve(packageRoot, 'build/gateways', ...path);

const file = (path: string, get: string): Place => ({
  find: () => (existsSync(path) ? [path] : null),
  get,
});

/** A program of the system, by its name. */
function onPath(name: string): readonly string[] | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return [path];
    } catch {
      // the next one
    }
  }
  return null;
}

function json<Content>(path: string): Content | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Content;
  } catch {
    return null;
  }
}

/** What setup has fetched, or made, and tried; none where it never ran. */
interface Made {
  name: string;
  argv?: string[];
}
const fetched = (name: string): readonly string[] | undefined =>
  json<Record<string, Made>>(resolve(packageRoot, '.cache/gateways/engines/engines.json'))?.[name]?.argv;
/** Its command line names files by where they lay when it was made: under another root they are not there. */
function madeMachine(name: string): readonly string[] | null {
  const { machines = [] } = json<{ machines?: Made[] }>(built('modules.json')) ?? {};
  const argv = machines.find((one) => one.name === name)?.argv;
  return argv?.every((word) => !isAbsolute(word) || existsSync(word)) ? argv : null;
}

/** @param words of its command line before the module */
const engine = (name: string, ...words: string[]): Place => ({
  find() {
    const own = onPath(name);
    return fetched(name) ?? (own && [...own, ...words]);
  },
  get: `dispatchbench gateways setup ${name} fetches it`,
});

/**
 * What the host 'containers' tells its programs by the environment: the command line that runs a container, the options that
 * make it a sandbox of gVisor (null: none starts here), the control group that all containers are in, and the namespace of
 * processes that they and the daemon are in, as a file. The image follows the options.
 */
export interface Containers {
  run: string[];
  sandbox: string[] | null;
  image: string;
  group: string;
  processes: string;
}
/** The image's one file, and what the image is called. */
export const containerImage = {
  name: 'gateway-native',
  program: built('bin/gateway-native'),
  get: build,
} as const;
export const containersVariable = 'DISPATCHBENCH_CONTAINERS';

function containers(): Containers | null {
  const told = process.env[containersVariable];
  return told === undefined ? null : (JSON.parse(told) as Containers);
}

const module = (name: string, kind = 'wasm'): Place => file(built('modules', `${name}.${kind}`), build);

const machine = (name: string): Place => ({
  find: () => madeMachine(name),
  get: `${build} of what a guest of QEMU is made of (vm-images/linux), and it has to boot`,
});

/** What loads programs into the kernel, if this process may: a system, or a sandbox, may refuse it. Tried once. */
let tried: readonly string[] | null | undefined;
function kernelPrograms(): readonly string[] | null {
  const [host] = parts['gateway-host'].find() ?? [];
  if (host === undefined) return null;
  if (tried === undefined) {
    const { status } = spawnSync(host, ['filters', '--count', '1'], { stdio: 'ignore', timeout: 5000 });
    tried = status === 0 ? [host, 'filters', '--count'] : null;
  }
  return tried;
}

const parts: Record<Part, Place> = {
  image: { find: () => (containers() ? [containers()!.image] : null), get: '' },
  'gateway-native': file(containerImage.program, build),
  'gateway-host': file(built('bin/gateway-host'), build),
  'event-gateway': file(programPath('dispatchbench-gateway'), howToBuild),
  'node-gateways': file(resolve(packageRoot, 'dist/gateways/node'), howToBuild),
  'node-clients': file(resolve(packageRoot, 'dist/clients'), howToBuild),
  node: { find: () => [process.execPath], get: '' },
  prefixer: module('prefixer-assemblyscript'),
  'prefixer-rust': module('prefixer-rust'),
  'prefixer-go': module('prefixer-go'),
  'prefixer-compiled': module('prefixer-assemblyscript', 'cwasm'),
  'prefixer-rust-compiled': module('prefixer-rust', 'cwasm'),
  wasmtime: engine('wasmtime', 'run'),
  wasmedge: engine('wasmedge'),
  wazero: engine('wazero', 'run'),
  'wazero-arm64': engine('wazero-arm64'),
  ebpf: {
    find: kernelPrograms,
    get: `${build} of gateway-host, and the kernel has to take programs of this user (root does it)`,
  },
  chromium: {
    find: () => onPath('chromium') ?? onPath('chromium-browser') ?? onPath('google-chrome'),
    get: 'install it (Debian: apt-get install chromium)',
  },
  counter: module('counter-assemblyscript'),
  device: module('device-rust'),
  nginx: { find: () => onPath('nginx'), get: 'install it (Debian: apt-get install nginx-light)' },
  cat: { find: () => onPath('cat'), get: 'it belongs to every system' },
  container: {
    find: () => containers()?.run ?? null,
    get: "it is there on the host 'containers' (--host containers)",
  },
  daemon: { find: () => (containers() ? [containers()!.processes] : null), get: '' },
  sandbox: {
    find: () => containers()?.sandbox ?? null,
    get: 'install gVisor (Debian: apt-get install runsc); one that is installed starts on none of its platforms',
  },
  'microvm-kvm': machine('microvm-kvm'),
  'microvm-tcg': machine('microvm-tcg'),
};

/** Which of these parts is not there, and how to get it; empty: all are. */
function lacking(needs: readonly Part[]): string {
  const missing = needs.find((part) => parts[part].find() === null);
  return missing === undefined ? '' : `there is no ${missing} here: ${parts[missing].get}`;
}

function found({ name, needs, command, perRequest, instances, contained, template }: Gateway): FoundGateway {
  const reason = lacking(needs);
  if (reason !== '') return { name, command: null, perRequest: null, instances: null, reason };
  const at = (part: Part) => parts[part].find()!;
  return {
    name,
    command: [...command(at)],
    ...(template ? { template: at(template)[0] } : {}),
    ...(contained ? { group: containers()!.group } : {}),
    perRequest: perRequest ? [...perRequest(at)] : null,
    instances: instances ? [...instances(at)] : null,
    reason: '',
  };
}

/** Every gateway, as this machine has it. */
export const foundGateways = (): FoundGateway[] => gateways.map(found);

function foundRuntime({ name, needs, once, calls, instances }: Runtime): FoundRuntime {
  const reason = lacking(needs);
  const at = (part: Part) => parts[part].find()!;
  const there = (command?: (at: (part: Part) => readonly string[]) => readonly string[]) =>
    command && reason === '' ? [...command(at)] : null;
  return {
    name,
    once: there(once),
    calls: there(calls),
    instances: there(instances),
    module: parts.device.find()?.[0] ?? '',
    reason,
  };
}

/** Every way to have the works of a device done, as this machine has it. */
export const foundRuntimes = (): FoundRuntime[] => runtimes.map(foundRuntime);
