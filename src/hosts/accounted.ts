/**
 * A program that cannot know what CPU time it takes, because another program works for it: where its lines tell of CPU
 * time, the time counted outside since it was started takes that place.
 */
import type { HostProcess } from './host.js';
import type { CpuUse } from './process-tree.js';

const tells = (line: unknown): line is { cpu: CpuUse } =>
  typeof (line as { cpu?: Partial<CpuUse> } | null)?.cpu?.userUs === 'number';

export function accounted(program: HostProcess, account: () => CpuUse): HostProcess {
  const start = account();
  return {
    name: program.name,
    pid: program.pid,
    async expect(event, timeoutMs) {
      const line = await program.expect(event, timeoutMs);
      if (!tells(line)) return line;
      const now = account();
      const cpu = { userUs: now.userUs - start.userUs, systemUs: now.systemUs - start.systemUs };
      return { ...line, cpu };
    },
    send: (line) => program.send(line),
    end: (graceMs) => program.end(graceMs),
    ended: () => program.ended(),
    stderrTail: () => program.stderrTail(),
  };
}
