/** Modules for tests with one instance for all requests: each of their functions a few instructions. */
import { code, FUNCTION, I32, list, section, text, unsigned } from './wasm-bytes.js';

/** Where input begins, and where replies and states do: 16 bytes of both are enough here. */
const INPUT = 32;

export interface ResidentShape {
  /** instructions that leave the length of the reply; the reply is the first of `data` */
  handle?: number[];
  /** where its buffer is said to begin */
  buffer?: number[];
  /** leaves the length of its state; left out: it has no pair for states */
  save?: number[];
  /** leaves 0 when it takes a state */
  restore?: number[];
  data?: string;
  /** exports that are left out */
  without?: string;
}

export function resident({
  data = 'v00000000 0',
  handle = code.i32(data.length),
  buffer = code.i32(INPUT),
  save,
  restore,
  without,
}: ResidentShape = {}): Buffer {
  const functions: [name: string, type: number, body: number[]][] = [
    ['buffer', 0, buffer],
    ['handle', 0, handle],
    ['reply', 1, code.i32(0)],
    ...(save ? [['save', 1, save] as [string, number, number[]]] : []),
    ...(restore ? [['restore', 0, restore] as [string, number, number[]]] : []),
  ];
  const types = [
    [FUNCTION, ...list([[I32]]), ...list([[I32]])],
    [FUNCTION, ...list([]), ...list([[I32]])],
  ];
  const exported = functions.flatMap(([name], at) => (name === without ? [] : [[...text(name), 0, at]]));
  const bodies = functions.map(([, , body]) => {
    const content = [...list([]), ...body, 0x0b];
    return [...unsigned(content.length), ...content];
  });
  return Buffer.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(3, list(functions.map(([, type]) => [type]))),
    ...section(5, list([[0, 1]])),
    ...section(7, list([[...text('memory'), 2, 0], ...exported])),
    ...section(10, list(bodies)),
    ...section(11, list([[0, ...code.i32(0), 0x0b, ...unsigned(data.length), ...Buffer.from(data)]])),
  ]);
}
