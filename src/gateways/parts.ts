/** Where the parts of gateways lie on this machine, and how to get what does not. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { packageRoot, programPath } from '../addon.js';
import type { FoundGateway } from '../contract/gateway.js';
import { howToBuild } from '../installation.js';
import type { Gateway, Part } from './gateway.js';
import { gateways } from './registry.js';

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
 * make it a sandbox of gVisor (null: none starts here), and the control group that all containers are in. The image follows
 * the options.
 */
export interface Containers {
  run: string[];
  sandbox: string[] | null;
  image: string;
  group: string;
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

const parts: Record<Part, Place> = {
  image: { find: () => (containers() ? [containers()!.image] : null), get: '' },
  'gateway-native': file(containerImage.program, build),
  'gateway-host': file(built('bin/gateway-host'), build),
  'event-gateway': file(programPath('dispatchbench-gateway'), howToBuild),
  'node-gateways': file(resolve(packageRoot, 'dist/gateways/node'), howToBuild),
  node: { find: () => [process.execPath], get: '' },
  prefixer: module('prefixer-assemblyscript'),
  'prefixer-rust': module('prefixer-rust'),
  'prefixer-go': module('prefixer-go'),
  'prefixer-compiled': module('prefixer-assemblyscript', 'cwasm'),
  'prefixer-rust-compiled': module('prefixer-rust', 'cwasm'),
  wasmtime: engine('wasmtime', 'run'),
  wasmedge: engine('wasmedge'),
  wazero: engine('wazero', 'run'),
  counter: module('counter-assemblyscript'),
  nginx: { find: () => onPath('nginx'), get: 'install it (Debian: apt-get install nginx-light)' },
  cat: { find: () => onPath('cat'), get: 'it belongs to every system' },
  container: {
    find: () => containers()?.run ?? null,
    get: "it is there on the host 'containers' (--host containers)",
  },
  sandbox: {
    find: () => containers()?.sandbox ?? null,
    get: 'install gVisor (Debian: apt-get install runsc); one that is installed starts on none of its platforms',
  },
  'microvm-kvm': machine('microvm-kvm'),
  'microvm-tcg': machine('microvm-tcg'),
};

function found({ name, needs, command, perRequest, instances, contained, template }: Gateway): FoundGateway {
  const missing = needs.find((part) => parts[part].find() === null);
  if (missing !== undefined) {
    const reason = `there is no ${missing} here: ${parts[missing].get}`;
    return { name, command: null, perRequest: null, instances: null, reason };
  }
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
