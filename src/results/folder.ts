/** A run's folder: run.json, samples.ndjson and histograms/, written so that a crash loses at most the trial in flight. */
import { existsSync, lstatSync, readFileSync, truncateSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { RunInfo } from '../contract/run.js';
import { makeFolder, replaceFile, systemFault, writeFrom } from '../files.js';
import { histogramLog } from '../load/histogram.js';
import { kindOf } from '../trials/registry.js';
import type { Sample } from '../trials/sample.js';
import { parseInfo } from './info.js';
import { lockFolder } from './lock.js';
import { type ParsedSamples, parseSamples } from './parse.js';

export class RunFolder {
  readonly id: string;
  private readonly samplesPath: string;
  /** bytes of samples.ndjson that hold whole lines: what follows them is overwritten */
  private whole = 0;

  private constructor(readonly path: string) {
    this.id = basename(path);
    this.samplesPath = join(path, 'samples.ndjson');
  }

  /**
   * Makes a new folder below `parent`, named by time and plan.
   * @throws Error in one sentence when it cannot be written to
   */
  static create(parent: string, planName: string, now = new Date()): RunFolder {
    const stamp = now.toISOString().slice(0, 19).replaceAll(':', '-');
    const name = join(parent, `${stamp}-${planName}`);
    let path = name;
    for (let again = 2; existsSync(path); again++) path = `${name}-${again}`;
    try {
      makeFolder(resolve(path, 'histograms'));
      const folder = new RunFolder(resolve(path));
      writeFrom(folder.samplesPath, 0, '');
      return folder;
    } catch (error) {
      throw new Error(
        `the results folder ${parent} cannot be written to (${(error as NodeJS.ErrnoException).code}): ` +
          'choose another with --out DIR',
      );
    }
  }

  /** @param run path of the folder, or its name below `parent` */
  static open(parent: string, run: string): RunFolder {
    const found = [run, join(parent, run)].find((path) => existsSync(join(path, 'run.json')));
    if (!found)
      throw new Error(`there is no run '${run}': neither ${run} nor ${join(parent, run)} holds a run.json`);
    return new RunFolder(resolve(found));
  }

  /** Nobody else writes the run until it is given back. @throws Error in one sentence when somebody does */
  lock(): Promise<() => void> {
    return lockFolder(this.path);
  }

  /** @throws Error in one sentence when there is none, or it is none of this version */
  info(): RunInfo {
    const path = join(this.path, 'run.json');
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      throw new Error(`${path} cannot be read: ${(error as Error).message}`);
    }
    return parseInfo(text, path);
  }

  /** @throws Error in one sentence; the old run.json is then as it was */
  writeInfo(info: RunInfo): void {
    this.written('run.json', () =>
      replaceFile(join(this.path, 'run.json'), `${JSON.stringify(info, null, 2)}\n`, { durable: true }),
    );
  }

  /**
   * Cuts off the line that a crash left half-written, and makes what is missing.
   * @returns the bytes cut, 0 when all lines are whole
   * @throws Error in one sentence when the folder leads elsewhere
   */
  repair(): number {
    for (const name of ['samples.ndjson', 'histograms']) {
      if (lstatSync(join(this.path, name), { throwIfNoEntry: false })?.isSymbolicLink())
        throw new Error(
          `${join(this.path, name)} is a link, so the run would be written elsewhere: remove it`,
        );
    }
    makeFolder(join(this.path, 'histograms'));
    const bytes = existsSync(this.samplesPath) ? readFileSync(this.samplesPath) : Buffer.alloc(0);
    this.whole = bytes.lastIndexOf(0x0a) + 1;
    if (this.whole < bytes.length) truncateSync(this.samplesPath, this.whole);
    return bytes.length - this.whole;
  }

  /** @throws Error in one sentence when the file as a whole cannot be used */
  read(): ParsedSamples {
    const text = existsSync(this.samplesPath) ? readFileSync(this.samplesPath, 'utf8') : '';
    return parseSamples(text, this.samplesPath);
  }

  samples(): Sample[] {
    return this.read().samples;
  }

  /**
   * The distributions go to histograms/<sequence>.hlog first, tagged `measurement.distribution`. May be tried again.
   * @throws Error in one sentence; all earlier lines are then whole
   */
  append(one: Sample): void {
    const intervals = Object.entries(one.measurements).flatMap(([name, measurement]) => {
      const kind = kindOf(measurement);
      return Object.entries(kind.distributions(measurement)).flatMap(([what, distribution]) =>
        distribution === null
          ? []
          : [
              {
                tag: `${name}.${what}`,
                startMs: 0,
                endMs: kind.durationNs(measurement) / 1e6,
                histogram: distribution.histogram,
              },
            ],
      );
    });
    if (intervals.length > 0) {
      const name = `${String(one.sequence).padStart(6, '0')}.hlog`;
      this.written(`histograms/${name}`, () =>
        replaceFile(join(this.path, 'histograms', name), histogramLog(intervals), { durable: true }),
      );
    }
    this.written('samples.ndjson', () => {
      this.whole = writeFrom(this.samplesPath, this.whole, `${JSON.stringify(one)}\n`);
    });
  }

  private written(name: string, write: () => void): void {
    try {
      write();
    } catch (error) {
      throw new Error(`${join(this.path, name)} could not be written: ${systemFault(error)}`);
    }
  }
}
