/**
 * A program that another one works for, which carries its host: where its lines tell of CPU time, they get what the
 * carrier has taken since the program was started, counted outside.
 */
import type { HostProcess } from './host.js';
import type { CpuUse } from './process-tree.js';

const tells = (line: unknown): line is { cpu: CpuUse } =>
  typeof (line as { cpu?: Partial<CpuUse> } | null)?.cpu?.userUs === 'number';

/**
 * @param as `cpu`: in place of what the program says, which cannot know it; `carrierCpu`: beside it, where its own kernel
 * counts what it does
 */
export function accounted(
  program: HostProcess,
  account: () => CpuUse,
  as: 'cpu' | 'carrierCpu',
): HostProcess {
  const start = account();
  return {
    name: program.name,
    pid: program.pid,
    async expect(event, timeoutMs) {
      const line = await program.expect(event, timeoutMs);
      if (!tells(line)) return line;
      const now = account();
      const since = { userUs: now.userUs - start.userUs, systemUs: now.systemUs - start.systemUs };
      return { ...line, [as]: since };
    },
    send: (line) => program.send(line),
    end: (graceMs) => program.end(graceMs),
    ended: () => program.ended(),
    stderrTail: () => program.stderrTail(),
  };
}
