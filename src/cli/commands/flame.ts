/** `dispatchbench flame`: where a server spends its CPU time, and how two backends differ in it. */
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import {
  type BackendName,
  backendNames,
  type Implementation,
  type IoMode,
  type Protocol,
  protocol,
} from '../../contract/common.js';
import type { FlameRecord } from '../../contract/flame.js';
import { machineOf } from '../../experiments/experiment.js';
import { gatewaySubject } from '../../experiments/gateways.js';
import {
  type FlameOptions,
  ourServer,
  type Profiled,
  runFlame,
  type ServerChoice,
} from '../../flame/flame.js';
import { describeOverhead } from '../../flame/overhead.js';
import { percent } from '../../flame/render.js';
import { runTool, type ToolName, toolNames } from '../../flame/tools.js';
import { gatewayNamed, gateways } from '../../gateways/registry.js';
import type { Roles } from '../../hosts/host.js';
import { duration, wholeNumber } from '../../options.js';
import { wrap } from '../../report/format.js';
import { profilesFolder, writeReport } from '../../report/write.js';
import type { Site } from '../../stage/on-stage.js';
import { withExamples } from '../examples.js';
import { hostOption, linked, linkOption, onHost } from '../on-host.js';
import { runToProfile } from '../run-to-profile.js';

const milliseconds = (text: string) => duration(text) / 1e6;

const windowed = (text: string): number => {
  const value = milliseconds(text);
  if (value < 500 || value > 600_000) throw new InvalidArgumentError('give 500ms to 10m.');
  return value;
};

export const flame = new Command('flame')
  .addOption(new Option('--backend <name>', 'backend to profile').choices(backendNames))
  .addOption(
    new Option('--gateway <name>', 'gateway to profile in place of a server of ours, by perf')
      .choices(gateways.map(({ name }) => name))
      .conflicts(['backend', 'ports', 'with']),
  )
  .option('--diff <name>', 'also profile this backend, or gateway, and draw the difference from it')
  .addOption(
    new Option('--impl <impl>', 'server implementation')
      .choices(['ts', 'native', 'libuv', 'baseline'] as const)
      .default('ts' as const),
  )
  .addOption(
    new Option('--io <mode>', 'I/O per Node-API crossing of a ts server')
      .choices(['call', 'batch', 'native'] as const)
      .default('batch' as const),
  )
  .addOption(
    new Option('--protocol <protocol>', 'what is served')
      .choices(protocol.options)
      .default('tcp-echo' as const),
  )
  .option('--idle <count>', 'silent connections beside the active ones', wholeNumber(0, 1_000_000), 0)
  .option('--ports <count>', 'udp-echo: number of consecutive ports', wholeNumber(1, 65_535))
  .option(
    '--connections <count>',
    'active connections (udp-echo: client sockets), closed loop',
    wholeNumber(1, 100_000),
    100,
  )
  .addOption(
    new Option('--duration <time>', 'profiled time; as much again is served without the profiler')
      .argParser(windowed)
      .default(5000, '5s'),
  )
  .option('--frequency <hertz>', 'samples per second of CPU time, perf only', wholeNumber(10, 10_000), 499)
  .addOption(
    new Option('--profiler <profiler>', 'auto takes perf where it may record')
      .choices(['auto', 'perf', 'v8'] as const)
      .default('auto' as const),
  )
  .addOption(
    new Option(
      '--with <tool>',
      'run another tool instead, installed on demand, http, autocannon as its load',
    ).choices(toolNames),
  )
  .addOption(
    new Option(
      '--run <run>',
      'make it part of this run: files in its folder flame/, graphs in its report',
    ).conflicts(['out', 'with']),
  )
  .addOption(hostOption())
  .addOption(linkOption())
  .option('--out <folder>', 'where the files go (default: results/flame-TIME)')
  .option('--json', 'print flame.json instead of a summary')
  .action(({ host, link, ...options }) => onHost(linked(host, link), (site) => profile(site, options)));

interface Options {
  backend?: BackendName | undefined;
  gateway?: string | undefined;
  diff?: string | undefined;
  impl: Implementation;
  io: IoMode;
  protocol: Protocol;
  idle: number;
  ports?: number | undefined;
  connections: number;
  duration: number;
  frequency: number;
  profiler: FlameOptions['profiler'];
  with?: ToolName | undefined;
  run?: string | undefined;
  out?: string | undefined;
  json?: true | undefined;
}

/** The server of ours that was asked for. @throws Error in one sentence */
function choiceOf(name: string | undefined, { impl, io, protocol, ports }: Options): ServerChoice {
  if (name === undefined)
    throw new Error(`say what to profile: --backend ${backendNames.join('|')}, or --gateway NAME`);
  const backend = backendNames.find((one) => one === name);
  if (!backend) throw new Error(`--diff: there is no backend '${name}': ${backendNames.join(', ')}`);
  return { impl, backend, io, protocol, ...(ports === undefined ? {} : { ports }) };
}

/** @throws Error in one sentence where there is none of that name */
function gatewayNamedBy(name: string, { server }: Roles): Profiled {
  if (!gatewayNamed(name))
    throw new Error(
      `--diff: there is no gateway '${name}': ${gateways.map((gateway) => gateway.name).join(', ')}`,
    );
  return { subject: gatewaySubject(name, machineOf(server.look)), title: name };
}

async function profile(site: Site, options: Options): Promise<void> {
  const named = options.gateway ?? options.backend;
  const asked = (name: string | undefined): Profiled =>
    options.gateway !== undefined && name !== undefined
      ? gatewayNamedBy(name, site.roles)
      : ourServer(choiceOf(name, options), options.idle);
  const [shown, base] = [asked(named), options.diff === undefined ? null : asked(options.diff)];
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '');
  const run = options.run === undefined ? null : runToProfile(options.run, site.roles);
  const called = `${[named, ...(options.diff ? ['against', options.diff] : [])].join('-')}-${stamp}`;
  const folder = resolve(run ? join(profilesFolder(run), called) : (options.out ?? `results/flame-${stamp}`));
  const say = (line: string) => console.error(line);
  const { idle, connections, profiler } = options;
  if (options.with) {
    const choice = { ...choiceOf(options.backend, options), protocol: 'http' } as const;
    const result = await runTool(options.with, choice, {
      ...{ site, folder, connections, say },
      durationMs: options.duration,
    });
    console.log(options.json ? JSON.stringify(result) : `${result.page}\n${result.scope}`);
    return;
  }
  const record = await runFlame(
    {
      ...{ profile: shown, base, idle, connections, folder, profiler },
      durationMs: options.duration,
      frequencyHz: options.frequency,
    },
    site,
    say,
  );
  console.log(options.json ? JSON.stringify(record, null, 2) : summary(record, folder));
  if (run) say(`Report: ${writeReport(run).report}`);
}

/** At most 100 columns. */
export function summary(record: FlameRecord, folder: string): string {
  const { name, executionClass, kernel } = record.host;
  const notes = new Set(record.profiles.flatMap((profile) => profile.notes));
  return [
    ...record.profiles.flatMap((profile) => [
      wrap(`${profile.title}: ${profile.samples} samples of ${profile.events.join(', ')}, ${profile.scope}`),
      ...profile.families
        .slice(0, 6)
        .map((family) => `  ${percent(family.share).padStart(7)}  ${family.name}`),
      wrap(`  profiler's overhead: ${describeOverhead(profile.overhead)}`),
      '',
    ]),
    ...[...notes].map((note) => wrap(`note: ${note}`)),
    `host: ${name} (${executionClass}), ${kernel}`,
    resolve(folder, record.page),
  ].join('\n');
}

withExamples(flame, [
  ['flame --backend select --diff epoll --idle 10000', 'where select spends its time, and epoll does not'],
  ['flame --gateway wasm_threads_ondemand --diff wasm_threads_pool --connections 8', 'two gateways, by perf'],
]);
