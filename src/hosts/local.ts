/**
 * This machine, through loopback.
 *
 * Its execution class is `native`, also when it is itself a virtual machine: the class describes the host as the
 * figure sees it, next to the other hosts of a run. A guest that this machine boots is `vm` to it, and what carries
 * this machine is told by the `hypervisor` field, which the report prints with every figure.
 */
import { cpus as allCpus, loadavg, release, totalmem } from 'node:os';
import type { MemoryCopy } from '../contract/run.js';
import type { CpuTimes, HostFacts, Sample } from '../contract/sample.js';
import { calibrationSpinNs, clockStepNs } from '../process.js';
import { Child } from './child.js';
import { parseCpuTimes } from './cpu-times.js';
import type { Command, Host, HostProcess } from './host.js';
import { allowedCpus, hypervisor, lastLevelCacheBytes, readFact } from './linux-facts.js';
import { measureMemoryCopy } from './memory-copy.js';
import { type NetworkCounters, parseNetworkCounters } from './network-counters.js';

export class LocalHost implements Host {
  readonly name = 'local';
  private known: HostFacts | undefined;

  facts(): HostFacts {
    this.known ??= {
      name: this.name,
      executionClass: 'native',
      hypervisor: hypervisor(),
      accelerator: null,
      vcpus: allCpus().length,
      cpuModel: allCpus()[0]?.model.trim() ?? 'unknown',
      memoryBytes: totalmem(),
      kernel: `${process.platform} ${release()}`,
      clockSource: readFact('/sys/devices/system/clocksource/clocksource0/current_clocksource') ?? 'unknown',
      clockStepNs: clockStepNs(),
      congestionControl: readFact('/proc/sys/net/ipv4/tcp_congestion_control'),
      transport: 'loopback',
    };
    return this.known;
  }

  cpus(): number[] {
    return allowedCpus() ?? allCpus().map((_, index) => index);
  }

  spawn(name: string, command: Command): HostProcess {
    return new Child(name, command);
  }

  networkCounters(): NetworkCounters | null {
    const files = ['/proc/net/netstat', '/proc/net/snmp'].map(readFact);
    return files.includes(null) ? null : parseNetworkCounters(files.join('\n'));
  }

  cpuTimes(): CpuTimes[] | null {
    const stat = readFact('/proc/stat');
    return stat === null ? null : parseCpuTimes(stat);
  }

  memoryCopy(): MemoryCopy {
    return measureMemoryCopy(lastLevelCacheBytes());
  }

  calibrationNs(): number {
    return Math.min(calibrationSpinNs(), calibrationSpinNs(), calibrationSpinNs());
  }

  load(): Sample['loadBefore'] {
    const pressure = readFact('/proc/pressure/cpu')?.match(/^some avg10=([\d.]+)/)?.[1];
    return { average: loadavg()[0] ?? 0, pressure: pressure === undefined ? null : Number(pressure) };
  }
}
