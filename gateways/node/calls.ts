/**
 * What a call of a device module costs in this process: each way in turn, as `gateway-host calls` does it.
 *   calls.js --module FILE --row bare|json|fresh --work WORK --argument BYTES --amount N --rounds N --slice-us N
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CallsLine } from '../../src/contract/device.js';
import { Library } from './device-library.js';
import { UsageError } from './options.js';
import { printLine, run } from './program.js';

const rows = ['bare', 'json', 'fresh'] as const;
type Row = (typeof rows)[number];

/** The one sort of flags that it has: a name and a value. */
function flags(args: readonly string[]) {
  const given = new Map<string, string>();
  for (let i = 0; i < args.length; i += 2) {
    const [name = '', value] = [args[i], args[i + 1]];
    if (!/^--(module|row|work|argument|amount|rounds|slice-us)$/.test(name) || value === undefined)
      throw new UsageError(`it takes no ${name}, or a value is missing`);
    given.set(name.slice(2), value);
  }
  const number = (name: string, otherwise: number): number => {
    const value = Number(given.get(name) ?? otherwise);
    if (!Number.isInteger(value) || value < 0) throw new UsageError(`--${name} is a whole number`);
    return value;
  };
  const file = given.get('module');
  if (file === undefined) throw new UsageError('say which module with --module FILE');
  const row = (given.get('row') ?? 'bare') as Row;
  if (!rows.includes(row)) throw new UsageError(`--row is one of ${rows.join(', ')} here, not '${row}'`);
  return {
    file,
    row,
    work: given.get('work') ?? 'hello',
    argument: number('argument', 64),
    amount: number('amount', 1),
    rounds: Math.max(1, number('rounds', 20)),
    sliceNs: number('slice-us', 4000) * 1000,
  };
}

/** Letters, over and over: JSON writes them as they are. */
const letters = (length: number): string => {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz';
  return alphabet.repeat(Math.ceil(length / alphabet.length)).slice(0, length);
};

/** One way to have the work done, as often as it is called. */
interface Way {
  call(): unknown;
  output(): string;
}

function bare(module: WebAssembly.Module, work: string, argument: string, amount: number): Way {
  const library = new Library(module);
  const call = library.work(work);
  const length = library.put(argument);
  return { call: () => call(length, amount), output: () => library.take(call(length, amount)) };
}

function json(module: WebAssembly.Module, work: string, argument: string, amount: number): Way {
  const library = new Library(module);
  const call = () => library.answer({ work, amount, argument }).output;
  return { call, output: call };
}

function fresh(module: WebAssembly.Module, work: string, argument: string, amount: number): Way {
  const imports = Library.imports(module);
  const call = () => {
    const library = new Library(module, imports);
    return library.take(library.work(work)(library.put(argument), amount));
  };
  return { call, output: call };
}

const ways = { bare, json, fresh };

/** Nanoseconds for each of so many calls. */
function timed({ call }: Way, calls: number): number {
  const startedNs = process.hrtime.bigint();
  for (let i = 0; i < calls; i++) call();
  return Number(process.hrtime.bigint() - startedNs) / calls;
}

/** An engine compiles what is called often once more, and better. */
const warmSlices = 10;

/** So many calls as fill a slice once the code is what it stays. */
function filling(way: Way, sliceNs: number): number {
  const untilNs = process.hrtime.bigint() + BigInt(warmSlices * sliceNs);
  let calls = 1;
  while (process.hrtime.bigint() < untilNs) {
    if (timed(way, calls) * calls * 2 < sliceNs) calls *= 2;
  }
  const eachNs = Math.max(1, timed(way, calls));
  return Math.min(2 ** 24, Math.max(1, Math.round(sliceNs / eachNs)));
}

await run(async (args) => {
  const { file, row, work, argument, amount, rounds, sliceNs } = flags(args);
  const bytes = readFileSync(file);
  const module = await WebAssembly.compile(bytes);
  const text = letters(argument);
  const all = {
    row: ways[row](module, work, text, amount),
    bare: bare(module, work, text, amount),
    nothing: bare(module, 'nothing', text, amount),
  };
  const output = all.bare.output();
  if (all.row.output() !== output) throw new Error(`${file} makes another output of ${work} in that way`);
  const loops = Object.entries(all).map(([name, way]) => ({
    name: name as keyof typeof all,
    way,
    calls: filling(way, sliceNs),
  }));
  const ns: Record<keyof typeof all, number[]> = { row: [], bare: [], nothing: [] };
  // In turn, and each round begins with another one.
  for (let round = 0; round < rounds; round++)
    for (let place = 0; place < loops.length; place++) {
      const { name, way, calls } = loops[(round + place) % loops.length]!;
      ns[name].push(timed(way, calls));
    }
  const sha256 = (of: Buffer | string) => createHash('sha256').update(of).digest('hex');
  const line: CallsLine = {
    event: 'calls',
    module: { sha256: sha256(bytes), bytes: bytes.length },
    output: sha256(output),
    calls: loops[0]!.calls,
    ns: { ...ns, native: null },
  };
  printLine(line);
});
