/** What a run was taken on: a table for each of its hosts, and what all of them share. */

import type { Analysis } from '../analysis/analyse.js';
import type { HostFacts, MemoryCopy } from '../contract/host.js';
import type { EmulatedLink, LinkPassage, LinkShape } from '../contract/link.js';
import type { RunHost, RunInfo } from '../contract/run.js';
import { counted, number } from '../number.js';
import type { Sample } from '../trials/sample.js';
import { type Html, html, table } from './html.js';
import { mitigationsInWords } from './mitigations.js';

type Fact = [what: string, value: string];

/** "Intel Xeon · Linux 6.1.0", once for each that differs. */
export function hostsInWords(samples: readonly Sample[]): string {
  return [...new Set(samples.map(({ host }) => `${host.cpuModel} · ${host.kernel}`))].join(' · ');
}

/** "9.1 GB/s by one thread, best of 5 copies of 128 MiB (last-level cache: 32 MiB)" */
function copyRate({ bytesPerSecond, copies, blockBytes, lastLevelCacheBytes }: MemoryCopy): string {
  const mebibytes = (bytes: number) => `${number(bytes / 2 ** 20)} MiB`;
  const cache = lastLevelCacheBytes === null ? 'unknown' : mebibytes(lastLevelCacheBytes);
  return `${number(bytesPerSecond / 1e9, 2)} GB/s by one thread, best of ${copies} copies of ${mebibytes(blockBytes)} (last-level cache: ${cache})`;
}

function shapeInWords({ delayNs, lossShare, bitsPerSecond, limitPackets }: LinkShape): string {
  return [
    `delay ${number(delayNs / 1e6)} ms`,
    ...(lossShare > 0 ? [`loss ${number(100 * lossShare)} %`] : []),
    ...(bitsPerSecond === null ? [] : [`rate ${number(bitsPerSecond / 1e6)} Mbit/s`]),
    `at most ${limitPackets} packets held`,
  ].join(', ');
}

function linkFacts(link: EmulatedLink | undefined): Fact[] {
  if (!link) return [];
  const by = link.means === 'netem' ? 'tc netem' : `a relay on CPU ${link.cpus.join(', ')}`;
  return [
    ['Link to the server', `${shapeInWords(link.up)}; by ${by}`],
    ['Link to the client', `${shapeInWords(link.down)}; by ${by}`],
  ];
}

/** What the link did, over all trials: how far from what was asked. */
function linkMeasured(samples: readonly Sample[]): Fact[] {
  const reports = samples.flatMap(({ link }) => link ?? []);
  if (reports.length === 0) return [];
  return (['up', 'down'] as const).map((direction): Fact => {
    const all = reports.map((report) => report[direction]);
    const sum = (of: (one: LinkPassage) => number) => all.reduce((total, one) => total + of(one), 0);
    const timed = all.flatMap(({ lateness, passed }) => (lateness ? [{ ...lateness, passed }] : []));
    const packets = timed.reduce((total, { passed }) => total + passed, 0);
    const mean = timed.reduce((total, { meanNs, passed }) => total + meanNs * passed, 0) / packets;
    const late =
      packets === 0
        ? 'its lateness is not told'
        : `${number(mean / 1000)} µs later than asked on average (99th percentile at most ${number(Math.max(...timed.map(({ p99Ns }) => p99Ns)) / 1000)} µs)`;
    return [
      `Measured ${direction === 'up' ? 'to the server' : 'to the client'}`,
      `${number(sum(({ packets: offered }) => offered))} packets, ${number(sum(({ dropped }) => dropped))} dropped, ${late}`,
    ];
  });
}

function machine(host: HostFacts, client: HostFacts): Fact[] {
  const same = JSON.stringify(host) === JSON.stringify(client);
  return [
    ['Execution class', `${host.executionClass}, hypervisor: ${host.hypervisor ?? 'none'}`],
    ['CPU', `${host.cpuModel}, ${counted(host.vcpus, 'CPU')}`],
    ['Memory', `${number(host.memoryBytes / 2 ** 30, 3)} GiB`],
    ['Kernel', host.kernel],
    ['Clock', `${host.clockSource}, steps of ${number(host.clockStepNs, 2)} ns`],
    ['Between server and client', host.transport],
    ...linkFacts(host.link),
    ...(same
      ? []
      : ([['Client', `${client.cpuModel}, ${client.kernel}, ${client.executionClass}`]] satisfies Fact[])),
  ];
}

function recorded({ environment, memoryCopy, versions }: RunHost): Fact[] {
  return [
    ['Memory copy', copyRate(memoryCopy)],
    ['System', `${environment.os}, ${environment.arch}`],
    [
      'Descriptor limit',
      `${environment.descriptorLimit.soft} soft, ${environment.descriptorLimit.hard} hard`,
    ],
    ['Mitigations', mitigationsInWords(environment.mitigations)],
    ['Versions', inWords(versions)],
  ];
}

const inWords = (versions: Readonly<Record<string, string>>) =>
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');

function trials(samples: readonly Sample[]): Fact[] {
  const [{ pinning }] = samples as [Sample];
  const kept = samples.filter(({ awake }) => awake && awake.cpus.length > 0).length;
  const server = samples.find((sample) => sample.server?.subject === 'dispatch')?.server;
  return [
    [
      'Pinning',
      `server on CPU ${pinning.server.join(', ') || 'any'}, client on CPU ${pinning.client.join(', ') || 'any'}${pinning.shared ? ' (shared)' : ''}`,
    ],
    ...(kept > 0
      ? ([
          [
            'CPU sleep',
            `CPUs of server and client were kept awake during ${counted(kept, 'trial')} of slow loads`,
          ],
        ] satisfies Fact[])
      : []),
    ...(server?.subject === 'dispatch'
      ? ([
          ['Compiler', inWords(server.versions)],
          ['Compiler flags', server.compilerFlags],
          ['Listen backlog', String(server.listenBacklog)],
        ] satisfies Fact[])
      : []),
  ];
}

function asked({ plan, git, argv, stopReason }: RunInfo): Fact[] {
  return [
    ['Command', `dispatchbench ${argv.join(' ')}`],
    [
      'Plan',
      `${plan.name}, seed ${plan.seed}, ${plan.blocks.min} to ${plan.blocks.max} blocks, stopped by ${stopReason ?? 'nothing yet'}`,
    ],
    [
      'Source',
      git ? `commit ${git.commit.slice(0, 12)}${git.dirty ? ', with changes' : ''}` : 'not a git checkout',
    ],
  ];
}

const columns = [{ name: 'What' }, { name: 'Value' }];

function hostTable(name: string, run: RunInfo | null, samples: readonly Sample[]): Html {
  const { host, clientHost } = samples[0]!;
  const record = run?.hosts[name];
  const facts = [
    ...machine(host, clientHost),
    ...linkMeasured(samples),
    ...trials(samples),
    ...(record ? recorded(record) : []),
  ];
  return table(`Host ${name}`, columns, facts);
}

export function environmentSection({ run, samples }: Analysis): Html {
  const names = new Set(samples.map(({ host }) => host.name));
  return html`<section aria-labelledby="environment"><h2 id="environment">Environment</h2>
${run ? table('What was asked', columns, asked(run)) : ''}
${[...names].map((name) =>
  hostTable(
    name,
    run,
    samples.filter(({ host }) => host.name === name),
  ),
)}</section>`;
}
