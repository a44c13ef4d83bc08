/** What `ab` may be given as its two arms: builds of the suite, or server command lines. */
import { parseArgsStringToArgv } from 'string-argv';
import type { ArmOf } from '../analysis/ab.js';
import { tellServer } from '../analysis/cells.js';
import type { CellLevels } from '../contract/sample.js';
import type { ForeignServer } from '../contract/subject.js';
import { buildOfRevision } from './revision.js';

export interface Arms {
  kind: 'builds' | 'commands';
  hosts: string[];
  /** servers that are no builds of ours */
  foreign: ForeignServer[];
  armOf: ArmOf;
  /** what is measured one right after the other: cells with the same text */
  together(levels: CellLevels): string;
}

const sides = ['baseline', 'candidate'] as const;
/** 'baseline' alone is the name of one of our implementations. */
const serverName = (side: (typeof sides)[number]) => `ab-${side}`;

const revision = 'git:';
const isCommand = (text: string) => text.includes('{port}');

const without = (levels: CellLevels) =>
  Object.fromEntries(Object.entries(levels).filter(([factor]) => !tellServer(factor)));

function ofCommands(texts: readonly string[]): Arms {
  const foreign = sides.map((side, i) => ({
    name: serverName(side),
    command: parseArgsStringToArgv(texts[i]!),
  }));
  return {
    kind: 'commands',
    hosts: ['local'],
    foreign,
    armOf({ cell }) {
      const arm = sides.find((side) => cell.impl === serverName(side));
      return arm ? { arm, levels: without(cell) } : null;
    },
    together: (levels) => JSON.stringify(without(levels)),
  };
}

const ofBuilds = (folders: readonly string[]): Arms => ({
  kind: 'builds',
  hosts: sides.map((side, i) => `build:${side}=${folders[i]}`),
  foreign: [],
  armOf({ host, cell }) {
    const arm = sides.find((side) => host.name === side);
    return arm ? { arm, levels: cell } : null;
  },
  together: (levels) => JSON.stringify(levels),
});

/** @throws Error in one sentence */
export async function armsOf(baseline: string, candidate: string): Promise<Arms> {
  const texts = [baseline, candidate];
  const commands = texts.filter(isCommand).length;
  if (commands === 2) return ofCommands(texts);
  if (commands === 1)
    throw new Error(
      `'${texts.find((text) => !isCommand(text))}' is no server command line, because it has no {port}, but the other one is: give two of one kind`,
    );
  const folders: string[] = [];
  for (const text of texts)
    folders.push(text.startsWith(revision) ? await buildOfRevision(text.slice(revision.length)) : text);
  return ofBuilds(folders);
}
