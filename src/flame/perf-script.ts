/** Reads the text of `perf script`. */
import { type Frame, perfFrame } from './frame.js';
import { mergeStacks, type Stack } from './stacks.js';

/** Fields the parser needs; `--no-inline` because resolving inlined frames takes minutes on a node binary. */
export const perfScriptArguments = ['-F', 'comm,pid,tid,time,event,ip,sym,dso', '--no-inline'];

export interface PerfProfile {
  stacks: Stack[];
  samples: number;
  /** events that were really sampled: perf falls back from cycles to cpu-clock without a word */
  events: string[];
}

/** `node 10739/10739  1393.662078: cpu-clock: `; the command may hold spaces. */
const header = /^(\S.*?)\s+\d+\/\d+\s+(?:\[\d+\]\s+)?[\d.]+:\s+(?:\d+\s+)?(\S+?):\s*$/;
const frameLine = /^\s+([0-9a-f]+) (.*) \((.*)\)$/;

/**
 * @param root folder that JavaScript places are made relative to
 * @returns stacks root first with the thread's name as root
 */
export function parsePerfScript(text: string, root = ''): PerfProfile {
  const events = new Set<string>();
  const stacks: Stack[] = [];
  let leafFirst: Frame[] | null = null;
  let thread = '';
  const finish = () => {
    if (leafFirst) stacks.push({ frames: rootFirst(thread, leafFirst), weight: 1 });
    leafFirst = null;
  };
  for (const line of text.split('\n')) {
    const frame = leafFirst ? frameLine.exec(line) : null;
    if (frame) {
      leafFirst!.push(perfFrame(frame[2]!, frame[3]!, root));
      continue;
    }
    const sample = header.exec(line);
    if (!sample && line.trim() !== '') continue;
    finish();
    if (!sample) continue;
    thread = sample[1]!.replaceAll(';', ':');
    events.add(sample[2]!);
    leafFirst = [];
  }
  finish();
  return { stacks: mergeStacks(stacks), samples: stacks.length, events: [...events].sort() };
}

/** Where every thread's user stack begins: the C library's start of a program and of a thread. */
const threadStart =
  /^(__libc_start_call_main|__libc_start_main\S*|_start|start_thread|(__)?clone3?|ret_from_fork\S*)$/;

/** Marks a stack whose outer part is missing; without it, the frame below it would look like a thread's main(). */
const lost: Frame = { name: '[callers lost]', kind: 'library' };

/**
 * Frame pointers end at code that keeps none: glibc's cancellable waits (epoll_pwait, poll, malloc) use the register
 * for something else. What was read beyond them is no return address and goes; the gap is marked.
 */
function rootFirst(thread: string, leafFirst: Frame[]): Frame[] {
  const frames = leafFirst.toReversed();
  const known = frames.findIndex((frame) => frame.name !== '[unknown]');
  const kept = known === -1 ? [] : frames.slice(known);
  const whole = kept.length > 0 && threadStart.test(kept[0]!.name);
  return [{ name: thread, kind: 'thread' }, ...(whole ? [] : [lost]), ...kept];
}
