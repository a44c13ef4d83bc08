/** Asks the observer of a machine without Node, and makes of its answers what every other observer says. */
import type { z } from 'zod';
import { packageVersion } from '../addon.js';
import {
  type BareSystem,
  bareClocks,
  bareFigure,
  barePingPong,
  bareSystem,
  bareTexts,
} from '../contract/bare-observer.js';
import { validated } from '../contract/validated.js';
import { calibrate, type Work } from './calibration.js';
import type { HostProcess } from './host.js';
import { allowedCpus, kernelConfig, lastLevelCacheBytes, type Texts } from './linux-facts.js';
import { type Basics, countersOf, lookOf, memoryOf, stateOf } from './machine-facts.js';
import { measureMemoryCopy } from './memory-copy.js';
import { type Observing, Questions } from './observer.js';
import type { Program } from './program.js';
import { TextsFromAfar } from './texts-from-afar.js';

export const bareObserverProgram: Program = { native: 'dispatchbench-bare', args: ['observer'] };

const model = (texts: Texts) =>
  texts
    .read('/proc/cpuinfo')
    ?.match(/^model name\s*:\s*(.*)$/m)?.[1]
    ?.trim() ?? 'unknown';

/** As Node calls them. */
const architectures: Record<string, string> = { x86_64: 'x64', amd64: 'x64', aarch64: 'arm64' };

export class BareObserver implements Observing {
  private readonly questions: Questions;
  /** of each kind of question, what it wants to read */
  private readonly texts = {
    look: this.afar(),
    counters: this.afar(),
    memory: this.afar(),
    state: this.afar(),
  };
  private system: Promise<BareSystem> | null = null;

  constructor(program: HostProcess) {
    this.questions = new Questions(program);
  }

  async look() {
    const system = await this.asked();
    return this.texts.look.with((texts) => ({
      event: 'look' as const,
      ...lookOf(basics(system, texts), texts),
    }));
  }

  async counters() {
    const { monotonicNs } = await this.ask('clocks', bareClocks);
    return this.texts.counters.with((texts) => ({
      event: 'counters' as const,
      ...countersOf(texts, monotonicNs),
    }));
  }

  async memory() {
    // Free memory changes, where that is all a system tells.
    const system = await this.ask('system', bareSystem);
    return this.texts.memory.with((texts) => memoryOf(system, texts));
  }

  async state() {
    const { cpus } = await this.look();
    const calibration = await calibrate(
      cpus.map(({ cpu }) => cpu),
      this.work,
    );
    const { load, monotonicNs, realtimeNs } = await this.ask('clocks', bareClocks);
    return this.texts.state.with((texts) => ({
      event: 'state' as const,
      ...stateOf(texts, load, calibration, { monotonicNs, realtimeNs }),
    }));
  }

  async memoryCopy() {
    const cache = await this.texts.look.with(lastLevelCacheBytes);
    return measureMemoryCopy(
      cache,
      undefined,
      async (bytes, copies) => (await this.figure('copy', bytes, copies)) / 1e9,
    );
  }

  clock = () => this.questions.clock();
  end = () => this.questions.end();

  private readonly work: Work = {
    spinNs: (rounds) => this.figure('spin', rounds),
    memoryWalkNs: (bytes, steps) => this.figure('walk', bytes, steps),
    pairedSpinNs: (rounds, cpu, partner) =>
      partner === null ? this.figure('alone', rounds, cpu) : this.figure('paired', rounds, cpu, partner),
    pingPong: async (...sizes) => {
      const { errno, ...figures } = await this.ask('ping-pong', barePingPong, ...sizes);
      if (errno !== 0) throw new Error(`no message goes to and fro there (${errno})`);
      return figures;
    },
  };

  private afar(): TextsFromAfar {
    return new TextsFromAfar(async (patterns) => (await this.ask('texts', bareTexts, ...patterns)).texts);
  }

  /** What does not change is asked once. */
  private asked(): Promise<BareSystem> {
    this.system ??= this.ask('system', bareSystem);
    return this.system;
  }

  private async figure(event: string, ...sizes: number[]): Promise<number> {
    return (await this.ask(event, bareFigure, ...sizes)).ns;
  }

  private ask<T>(event: string, schema: z.ZodType<T>, ...words: (string | number)[]): Promise<T> {
    const { questions } = this;
    return questions.ask([event, ...words].join(' '), event, (line) =>
      validated(schema, line, questions.what),
    );
  }
}

function basics(system: BareSystem, texts: Texts): Basics {
  const { arch, release, compiler, digest, ...told } = system;
  return {
    ...told,
    arch: architectures[arch] ?? arch,
    cpus: allowedCpus(texts) ?? told.cpus,
    cpuModel: model(texts),
    kernelConfig: kernelConfig(release, texts),
    engines: [],
    gateways: [],
    runtimes: [],
    versions: { dispatchbench: packageVersion(), compiler },
    addonDigest: digest,
  };
}
