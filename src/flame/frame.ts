/** One frame of a stack: its cleaned name and who owns the code. The kind decides the colour. */

/** Suffixes follow FlameGraph's annotations where it has them (`_[k]`, `_[j]`), so its tools read our folded files. */
export const frameKinds = {
  thread: { suffix: '', label: 'thread' },
  javascript: { suffix: '_[j]', label: 'JavaScript' },
  native: { suffix: '_[d]', label: 'addon or native server (C++)' },
  libuv: { suffix: '_[u]', label: 'libuv' },
  runtime: { suffix: '_[n]', label: 'Node.js and V8' },
  library: { suffix: '_[l]', label: 'library' },
  kernel: { suffix: '_[k]', label: 'kernel' },
} as const;
export type FrameKind = keyof typeof frameKinds;

export interface Frame {
  name: string;
  kind: FrameKind;
}

const kindBySuffix = new Map<string, FrameKind>(
  Object.entries(frameKinds).map(([kind, { suffix }]) => [suffix, kind as FrameKind]),
);

/** A frame as it stands in a folded line. */
export function frameText(frame: Frame): string {
  return frame.name + frameKinds[frame.kind].suffix;
}

/** The reverse of `frameText`; a frame without a known suffix is a thread or came from another tool. */
export function parseFrame(text: string): Frame {
  const kind = kindBySuffix.get(text.slice(-4));
  return kind ? { name: text.slice(0, -4), kind } : { name: text, kind: 'thread' };
}

/** `JS:*name location` and its siblings in a perf map: code kind, tier mark, name and place. */
const jitName = /^(?:JS|Eval|Script|Function|LazyCompile|RegExp):[~^+*]?(.*)$/;

/**
 * Name and place of a JavaScript function: the tier is dropped (one function is one frame, whatever compiled it), the
 * place is relative to `root` and loses its column.
 */
export function javascriptFrame(name: string, place: string, root = ''): Frame {
  const file = place.replace(/^file:\/\//, '').replace(/^(.*:\d+):\d+$/, '$1');
  const short = root !== '' && file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file;
  return { name: clean(`${name || '(anonymous)'} ${short}`.trim()), kind: 'javascript' };
}

/**
 * @param symbol as `perf script` prints it, without an offset
 * @param object the mapped file, `[kernel.kallsyms]`, `[module]` or a perf map
 * @param root folder that JavaScript places are made relative to
 */
export function perfFrame(symbol: string, object: string, root = ''): Frame {
  const base = object.slice(object.lastIndexOf('/') + 1);
  if (/^perf-\d+\.map$/.test(base)) {
    const jit = jitName.exec(symbol);
    if (!jit) return { name: clean(symbol), kind: 'runtime' };
    const space = jit[1]!.lastIndexOf(' ');
    return javascriptFrame(jit[1]!.slice(0, Math.max(space, 0)), jit[1]!.slice(space + 1), root);
  }
  const name = symbol === '[unknown]' && base !== '[unknown]' ? `[${base}]` : clean(symbol);
  return { name, kind: objectKind(symbol, base) };
}

function objectKind(symbol: string, base: string): FrameKind {
  if (/^\[(?!vdso|vsyscall|unknown|heap|stack|anon)/.test(base) || /\.ko(\.\w+)?$/.test(base))
    return 'kernel';
  if (base.endsWith('.node') || base.startsWith('dispatchbench')) return 'native';
  if (/^uv_/.test(symbol) || /^libuv/.test(base)) return 'libuv';
  if (/^node(js)?$|^libnode/.test(base)) return 'runtime';
  return 'library';
}

/** Compiler clones and symbol versions are one function to the reader; `;` would split a folded stack. */
function clean(name: string): string {
  return name
    .replace(/(\.(constprop|isra|part|cold|lto_priv|llvm)(\.\d+)?)+$/, '')
    .replace(/@@?GLIBC[\w.]*$/, '')
    .replace(/\[abi:\w+\]/g, '')
    .replaceAll('(anonymous namespace)::', '')
    .replaceAll(';', ':');
}
