/** Drives Linux perf: what it can see here, recording that is switched on and off, and its script output. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { readFact } from '../hosts/linux-facts.js';
import { perfScriptArguments } from './perf-script.js';

export interface PerfSupport {
  /** event to ask for; a `:u` suffix leaves the kernel out */
  event: string;
  kernelFrames: boolean;
  /**
   * Sample the server's CPUs and keep the server's samples, instead of sampling its threads: a thread's timer is set
   * anew at each context switch, which in a virtual machine cost a busy libuv server 40 % of its throughput.
   */
  wholeCpu: boolean;
  notes: string[];
}

/** A node server needs these for perf to name its JavaScript frames; names go to /tmp/perf-PID.map. */
export const perfNodeOptions = ['--perf-basic-prof-only-functions', '--interpreted-frames-native-stack'];

/** Where V8 writes the map and perf reads it; both fix the folder. */
export function perfMapPath(pid: number): string {
  return `/tmp/perf-${pid}.map`;
}

/** Cycles where the CPU's counters can be reached, the timer elsewhere (most virtual machines). */
function preferredEvent(): { event: string; note: string | null } {
  let devices: string[] = [];
  try {
    devices = readdirSync('/sys/bus/event_source/devices');
  } catch {
    // No sysfs: no counters either.
  }
  if (devices.some((name) => /^(cpu(_core)?|armv\w+|arm_\w+)$/.test(name)))
    return { event: 'cycles', note: null };
  return {
    event: 'cpu-clock',
    note: 'no CPU counters here (usual in virtual machines): sampled by the timer event cpu-clock, which charges code that runs with interrupts off to the place where they come on again (finish_task_switch, _raw_spin_unlock_irqrestore)',
  };
}

/**
 * Finds out by trying, since policy, capabilities and containers all have a say.
 * @returns what perf can do, or one sentence on why it can do nothing
 */
export function probePerf(): PerfSupport | string {
  if (process.platform !== 'linux') return `perf exists on Linux only, this is ${process.platform}`;
  const { event, note } = preferredEvent();
  const paranoid = readFact('/proc/sys/kernel/perf_event_paranoid') ?? 'unknown';
  // Asked for both, perf takes user space alone without a word; so permission for the kernel is asked separately.
  const kernelRefusal = attempt([...recordArguments(`${event}:k`), '-o', '/dev/null', '--', 'true']);
  if (kernelRefusal === 'missing') {
    return 'perf is not installed (Debian: apt install linux-perf; Ubuntu: linux-tools-$(uname -r))';
  }
  const notes = note ? [note] : [];
  if (kernelRefusal === null) {
    if (readFact('/proc/kallsyms')?.startsWith('0000000000000000')) {
      notes.push(
        "kernel frames have no names (kernel.kptr_restrict): run as root or set 'sysctl kernel.kptr_restrict=0'",
      );
    }
    const wholeCpu = attempt([...recordArguments(event), '-a', '-o', '/dev/null', '--', 'true']) === null;
    if (!wholeCpu) {
      notes.push(
        `whole CPUs may not be sampled (kernel.perf_event_paranoid is ${paranoid}), so the server's threads are: ` +
          'each context switch sets their timer anew, which is part of the overhead',
      );
    }
    return { event, kernelFrames: true, wholeCpu, notes };
  }
  const refusal = attempt([...recordArguments(`${event}:u`), '-o', '/dev/null', '--', 'true']);
  if (refusal !== null) {
    return `perf may not record here (kernel.perf_event_paranoid is ${paranoid}; perf says: ${refusal})`;
  }
  notes.push(
    `kernel frames are forbidden (kernel.perf_event_paranoid is ${paranoid}): system calls end at the C library; ` +
      "run as root or set 'sysctl kernel.perf_event_paranoid=1'",
  );
  return { event: `${event}:u`, kernelFrames: false, wholeCpu: false, notes };
}

/** -N: perf would copy the node binary into a cache in the home folder. */
function recordArguments(event: string): string[] {
  return ['record', '-N', '-e', event, '-g'];
}

/** @returns null when perf did it, 'missing' without perf, else the line in which perf says why not */
function attempt(args: string[]): string | null {
  const { error, status, stderr } = spawnSync('perf', args, { encoding: 'utf8' });
  if (error) return 'missing';
  if (status === 0) return null;
  const lines = stderr.trim().split('\n');
  return (lines.find((line) => /permission|denied|not|error/i.test(line)) ?? lines[0] ?? '').trim();
}

/** One recording of one process, paused until `enable`. Paused events cost the process nothing. */
export class PerfRecording {
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;
  private stderr = '';
  private ending: string | null = null;

  constructor(
    private readonly pid: number,
    cpus: number[],
    private readonly file: string,
    { event, wholeCpu }: PerfSupport,
    frequencyHz: number,
  ) {
    const what = wholeCpu ? ['-a', '-C', cpus.join(',')] : ['-p', String(pid)];
    const args = [...recordArguments(event), '-F', String(frequencyHz), ...what, '-o', this.file];
    // Descriptors 3 and 4 of perf: commands and acknowledgements. It records as long as `cat` runs, which ends with
    // this process's end of the pipe, so no recording outlives whoever started it.
    this.child = spawn('perf', [...args, '--delay', '-1', '--control', 'fd:3,4', '--', 'cat'], {
      stdio: ['pipe', 'ignore', 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    for (const channel of this.child.stdio) channel?.on('error', () => {});
    this.ended = new Promise((resolve) => {
      const finish = (how: string) => {
        this.ending ??= how;
        resolve();
      };
      this.child.once('error', (error) => finish(`could not be started (${error.message})`));
      this.child.once('close', (code, signal) => finish(`ended with ${signal ?? `code ${code}`}`));
    });
  }

  enable(): Promise<void> {
    return this.command('enable');
  }

  disable(): Promise<void> {
    return this.command('disable');
  }

  /** Ends the recording and waits until its file is complete. */
  async stop(): Promise<void> {
    this.child.stdin!.end();
    await this.ended;
  }

  /** @throws Error with perf's own words */
  script(): string {
    const result = spawnSync(
      'perf',
      ['script', '-i', this.file, '--pid', String(this.pid), ...perfScriptArguments],
      {
        encoding: 'utf8',
        maxBuffer: 1 << 30,
      },
    );
    if (result.status === 0) return result.stdout;
    throw new Error(
      `perf script failed: ${result.error?.message ?? result.stderr.trim()}; perf record said: ${this.stderr.trim()}`,
    );
  }

  private async command(text: string): Promise<void> {
    const acknowledged = new Promise<void>((resolve) => {
      (this.child.stdio[4] as NodeJS.ReadableStream).once('data', () => resolve());
    });
    (this.child.stdio[3] as NodeJS.WritableStream).write(`${text}\n`);
    await Promise.race([acknowledged, this.ended]);
    if (this.ending !== null) throw new Error(`perf record ${this.ending}: ${this.stderr.trim()}`);
  }
}
