/** The rooms of the house, as the table of docs/architecture.md has them: the one place that says who may know whom. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/addon.js';

export interface Room {
  /** first folders of its files: `src/hosts`, `servers`; of the base it is `src` alone */
  folder: string;
  /** as other rows call it: `hosts`, `base` */
  name: string;
  /** uses no module of Node */
  pure: boolean;
  /** names of rooms it may use; `null`: any of its language */
  mayUse: readonly string[] | null;
  /** names of rooms of which it may use the types */
  mayUseTypesOf: readonly string[];
}

const TYPES = 'types of ';

function roomOf(row: string): Room[] {
  const [, folders, , rule] = row.split('|').map((cell) => cell.trim());
  const [, purity = '', uses = ''] = rule!.match(/^(pure(?:; |$))?(.*)$/)!;
  const listed = uses === 'nothing of ours' || uses === '' ? [] : uses.split(', ');
  return [...folders!.matchAll(/`([^`]+)`/g)].map(([, path]) => ({
    folder: path === 'src/*.ts' ? 'src' : path!.replace(/\/$/, ''),
    name: path === 'src/*.ts' ? 'base' : path!.replace(/\/$/, '').split('/').at(-1)!,
    pure: purity !== '',
    mayUse: uses === 'everything in src' ? null : listed.filter((use) => !use.startsWith(TYPES)),
    mayUseTypesOf: listed.filter((use) => use.startsWith(TYPES)).map((use) => use.slice(TYPES.length)),
  }));
}

const all = readFileSync(join(packageRoot, 'docs/architecture.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .filter((line) => !line.startsWith('| `npm '))
  .flatMap(roomOf);

const isNative = ({ folder }: Room) => folder.startsWith('native/');
export const nativeRooms = all.filter(isNative);
export const typescriptRooms = all.filter((room) => !isNative(room));

/** A circle of rooms that use each other, if there is one. */
export function circleOf(rooms: readonly Room[]): string[] | null {
  const left = new Map(rooms.map((room) => [room.name, room]));
  for (;;) {
    const done = [...left.values()].find(({ mayUse, mayUseTypesOf }) =>
      [...(mayUse ?? []), ...mayUseTypesOf].every((name) => !left.has(name)),
    );
    if (!done) return left.size === 0 ? null : [...left.keys()];
    left.delete(done.name);
  }
}
