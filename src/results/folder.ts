/** A run's folder: run.json, samples.ndjson and histograms/, written so that a crash loses at most the trial in flight. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { RunInfo } from '../contract/run.js';
import { histogramLog } from '../load/histogram.js';
import { kindOf } from '../trials/registry.js';
import type { Sample } from '../trials/sample.js';
import { parseInfo } from './info.js';
import { parseSamples } from './parse.js';

/** One write and one sync: after it returns the text is on the disk. */
function writeDurably(path: string, flags: string, text: string): void {
  const file = openSync(path, flags);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Level by level: Node's own recursive mkdir never returns below a system folder that takes none (/proc). */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

export class RunFolder {
  readonly id: string;
  private readonly samplesPath: string;

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
      writeDurably(folder.samplesPath, 'a', '');
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

  /** Replaces run.json as a whole: a reader sees the old one or the new one, never a part. */
  writeInfo(info: RunInfo): void {
    const path = join(this.path, 'run.json');
    writeDurably(`${path}.new`, 'w', `${JSON.stringify(info, null, 2)}\n`);
    renameSync(`${path}.new`, path);
  }

  /** Cuts off the line that a crash left half-written. @returns the bytes cut, 0 when all lines are whole */
  repair(): number {
    if (!existsSync(this.samplesPath)) {
      writeDurably(this.samplesPath, 'a', '');
      return 0;
    }
    const bytes = readFileSync(this.samplesPath);
    const whole = bytes.lastIndexOf(0x0a) + 1;
    if (whole < bytes.length) truncateSync(this.samplesPath, whole);
    return bytes.length - whole;
  }

  /** @throws Error in one sentence when a line is no sample: a run is only gone on with when all of it is whole */
  samples(): Sample[] {
    const text = readFileSync(this.samplesPath, 'utf8');
    const { samples, refused } = parseSamples(text, this.samplesPath);
    const [first] = refused;
    if (first) throw new Error(`${this.samplesPath}, line ${first.line}: ${first.reason}`);
    return samples;
  }

  /** The distributions go to histograms/<sequence>.hlog first, tagged `measurement.distribution`. */
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
      writeFileSync(join(this.path, 'histograms', name), histogramLog(intervals));
    }
    writeDurably(this.samplesPath, 'a', `${JSON.stringify(one)}\n`);
  }
}
