/** A foreign server of a test: the wrapper started with a command, and a look at which processes are left of it. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import {
  type ForeignHello,
  farewell as farewellSchema,
  foreignHello,
  snapshot as snapshotSchema,
} from '../../src/contract/server.js';
import { Child } from '../../src/hosts/child.js';
import { commandOf } from '../../src/hosts/program.js';
import { type ForeignSpec, foreignProgram } from '../../src/programs/foreign.js';

/** Whoever speaks for a foreign server has a tree to tell of. */
const withTree = { tree: snapshotSchema.shape.tree.unwrap() };
const foreignSnapshot = snapshotSchema.extend(withTree);
const foreignFarewell = farewellSchema.extend(withTree);
export type ForeignSnapshot = z.infer<typeof foreignSnapshot>;
export type ForeignFarewell = z.infer<typeof foreignFarewell>;

const patience = 20_000;

/** A script of this folder, run by this Node. */
export const script = (name: string, ...args: string[]): string[] => [
  process.execPath,
  fileURLToPath(new URL(`./${name}.js`, import.meta.url)),
  ...args,
];

/** Command lines of living processes that hold the text. */
function processesWith(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => {
      try {
        return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`;
      } catch {
        return ''; // it has ended
      }
    })
    .filter((line) => line.includes(text));
}

/** Folders below this one, itself included; one that vanishes meanwhile is left out with what was in it. */
function foldersBelow(folder: string): string[] {
  try {
    const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [folder, ...folders.flatMap(({ name }) => foldersBelow(join(folder, name)))];
  } catch {
    return [];
  }
}

/** Control groups that the wrapper with this process id has made and that are still there. */
function groupsOf(pid: number): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .flatMap((line) => foldersBelow(line.split(' ')[4]!))
    .filter((folder) => folder.endsWith(`/dispatchbench-foreign-${pid}`));
}

export class Subject extends Child {
  /** in the command line of every process that the command starts, as far as scripts of this folder pass it on */
  readonly mark: string;

  /** `command` is given the mark; `through` is a command that runs the wrapper. */
  constructor(
    spec: Omit<ForeignSpec, 'command'>,
    command: (mark: string) => string[],
    through: string[] = [],
  ) {
    const mark = randomUUID();
    const wrapper = commandOf(foreignProgram({ ...spec, command: command(mark), control: true }));
    const [first, ...rest] = [...through, wrapper.command, ...wrapper.args];
    super('foreign server', { command: first!, args: rest });
    this.mark = mark;
  }

  async hello(): Promise<ForeignHello> {
    return foreignHello.parse(await this.expect('hello', patience));
  }

  async snapshot(): Promise<ForeignSnapshot> {
    this.send('snapshot s');
    return foreignSnapshot.parse(await this.expect('snapshot', patience));
  }

  async stop(): Promise<ForeignFarewell> {
    this.send('stop');
    return this.farewell();
  }

  async farewell(): Promise<ForeignFarewell> {
    return foreignFarewell.parse(await this.expect('farewell', patience));
  }

  /** What it says on ending without a hello. */
  async refusal(): Promise<string> {
    const error: unknown = await this.hello().then(
      () => new Error('it served'),
      (reason) => reason,
    );
    return (error as Error).message;
  }

  /** Processes with its mark, the wrapper left out. */
  processes(): string[] {
    return processesWith(this.mark).filter((line) => !line.includes('dispatchbench-foreign'));
  }

  /** What there is of it beside the wrapper: processes and control groups. */
  remains(): string[] {
    return [...this.processes(), ...groupsOf(this.pid)];
  }
}

/** Runs `body` and ends the subject with it, whatever happens. */
export async function withSubject<T>(subject: Subject, body: (subject: Subject) => Promise<T>): Promise<T> {
  try {
    return await body(subject);
  } finally {
    await subject.end(2_000);
  }
}
