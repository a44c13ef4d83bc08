/**
 * What Linux says about itself, read from files, no command run. Other systems have none of these files and get null
 * or 'unknown': a fact that cannot be read is never guessed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { parseCpuList } from '../cpu-list.js';

/** @returns the file's text without surrounding space and NUL, or null when it cannot be read */
export function readFact(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').replaceAll('\0', '').trim();
  } catch {
    return null;
  }
}

/** Files of a system: of this one, or of one that is asked for them. */
export interface Texts {
  /** as `readFact` */
  read(path: string): string | null;
  /** what a folder holds, sorted; nothing where there is none */
  names(folder: string): string[];
}

export const ownTexts: Texts = {
  read: readFact,
  names(folder) {
    try {
      return readdirSync(folder).sort();
    } catch {
      return [];
    }
  },
};

/** CPUs this process may use; null where the system does not say. */
export function allowedCpus(texts = ownTexts): number[] | null {
  const list = texts.read('/proc/self/status')?.match(/^Cpus_allowed_list:\s*(.*)$/m)?.[1];
  return list ? parseCpuList(list) : null;
}

/** CPUs that share a core with `cpu`, itself included. */
export function coreSiblings(cpu: number, texts = ownTexts): number[] {
  const list = texts.read(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`);
  return list ? parseCpuList(list) : [cpu];
}

/**
 * Microseconds that each of these CPUs slept since boot, by the kernel's own clock; null: it does not count them. A sleep
 * is counted when it ends.
 */
export function sleepTimes(cpus: readonly number[], texts = ownTexts): (number | null)[] {
  return cpus.map((cpu) => {
    const folder = `/sys/devices/system/cpu/cpu${cpu}/cpuidle`;
    const states = texts.names(folder).map((state) => Number(texts.read(`${folder}/${state}/time`)));
    return states.length > 0 ? states.reduce((sum, us) => sum + us, 0) : null;
  });
}

/** Connections that the kernel's firewall tracks; null: it tracks none, or is not there. */
export function conntrack(texts = ownTexts): { count: number; max: number } | null {
  const [count, max] = ['count', 'max'].map((name) =>
    texts.read(`/proc/sys/net/netfilter/nf_conntrack_${name}`),
  );
  return count && max ? { count: Number(count), max: Number(max) } : null;
}

/** Size of the cache nearest to memory; null where the system does not say. */
export function lastLevelCacheBytes(texts = ownTexts): number | null {
  const sizes = [3, 2].map((index) => texts.read(`/sys/devices/system/cpu/cpu0/cache/index${index}/size`));
  const found = sizes.find((size) => size !== null)?.match(/^(\d+)([KM]?)$/);
  return found ? Number(found[1]) * { '': 1, K: 1 << 10, M: 1 << 20 }[found[2] as '' | 'K' | 'M'] : null;
}

const vendors: [RegExp, string][] = [
  [/fireck/i, 'firecracker'],
  [/amazon ec2/i, 'amazon'],
  [/kvm|qemu|red hat|bochs/i, 'kvm'],
  [/vmware/i, 'vmware'],
  [/innotek|virtualbox/i, 'virtualbox'],
  [/microsoft corporation/i, 'hyper-v'],
  [/google compute/i, 'google'],
  [/xen/i, 'xen'],
  [/parallels/i, 'parallels'],
  [/bhyve/i, 'bhyve'],
];

/**
 * Names the hypervisor from the firmware's vendor strings (DMI, ACPI), else says 'unknown' when the CPU has the hypervisor bit.
 * @returns null on bare metal
 */
export function hypervisor(texts = ownTexts): string | null {
  const named = texts.read('/sys/hypervisor/type');
  if (named) return named;
  const strings = ['sys_vendor', 'product_name', 'bios_vendor', 'board_vendor'].map(
    (name) => texts.read(`/sys/class/dmi/id/${name}`) ?? '',
  );
  // The maker's id lies in the bytes 10 to 23 of the header of each ACPI table.
  const firmware = [...strings, texts.read('/sys/firmware/acpi/tables/FACP')?.slice(10, 24) ?? ''].join(' ');
  const flagged = /^flags\s*:.*\bhypervisor\b/m.test(texts.read('/proc/cpuinfo') ?? '');
  const vendor = vendors.find(([pattern]) => pattern.test(firmware))?.[1];
  // Amazon's and Google's bare-metal machines carry the same vendor strings; only the CPU's bit tells them apart.
  if (vendor && (flagged || !/amazon|google|hyper-v/.test(vendor))) return vendor;
  return flagged ? 'unknown' : null;
}

/** Weaknesses of the CPU and what the kernel does about them: they change the price of a system call. */
export function mitigations(texts = ownTexts): Record<string, string> {
  const folder = '/sys/devices/system/cpu/vulnerabilities';
  return Object.fromEntries(
    texts.names(folder).map((name) => [name, texts.read(`${folder}/${name}`) ?? 'unreadable']),
  );
}

/** What the kernel of that release was configured with, by its package; null where that is not kept. */
export const kernelConfig = (release: string, texts: Texts): string | null =>
  texts.read(`/boot/config-${release}`);

/** The same of the running kernel, which may keep it itself. */
export function ownKernelConfig(): string | null {
  try {
    return gunzipSync(readFileSync('/proc/config.gz')).toString();
  } catch {
    return kernelConfig(release(), ownTexts);
  }
}

/**
 * The kernel can count at each change between user and system, always or on CPUs that it lets run without ticks; null:
 * its configuration is not known.
 */
export function cpuAccounting(config: string | null, tickless: string | null): 'precise' | 'ticks' | null {
  if (config === null) return null;
  const has = (name: string) => config.includes(`CONFIG_VIRT_CPU_ACCOUNTING_${name}=y`);
  // Without such CPUs the file is empty, or says so in the kernel's own way.
  const without = tickless === null || /^(\(null\))?$/.test(tickless);
  return has('NATIVE') || (has('GEN') && !without) ? 'precise' : 'ticks';
}

export const ticklessCpus = (texts: Texts): string | null => texts.read('/sys/devices/system/cpu/nohz_full');

const settingFiles = {
  'tcp autocorking': '/proc/sys/net/ipv4/tcp_autocorking',
  'busy poll': '/proc/sys/net/core/busy_poll',
  'busy read': '/proc/sys/net/core/busy_read',
  'receive packet steering of loopback': '/sys/class/net/lo/queues/rx-0/rps_cpus',
  'transparent huge pages': '/sys/kernel/mm/transparent_hugepage/enabled',
  'address space randomisation': '/proc/sys/kernel/randomize_va_space',
  'simultaneous multithreading': '/sys/devices/system/cpu/smt/control',
  'idle driver': '/sys/devices/system/cpu/cpuidle/current_driver',
  'idle governor': '/sys/devices/system/cpu/cpuidle/current_governor',
  'frequency governor': '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor',
} as const;

/** What the system is set to, as far as it says: a file that is missing is left out. */
export function settings(texts = ownTexts): Record<string, string> {
  const all = Object.entries(settingFiles).map(([name, path]) => [name, texts.read(path)] as const);
  return Object.fromEntries(all.filter((entry): entry is [(typeof entry)[0], string] => entry[1] !== null));
}

export function ephemeralPorts(texts = ownTexts): { first: number; last: number } | null {
  const [first, last] = (texts.read('/proc/sys/net/ipv4/ip_local_port_range') ?? '').split(/\s+/).map(Number);
  return first && last ? { first, last } : null;
}

/** Limit of open descriptors of this process and of the children it starts. */
export function descriptorLimit(): { soft: number; hard: number } | null {
  const row = readFact('/proc/self/limits')?.match(/^Max open files\s+(\S+)\s+(\S+)/m);
  const value = (text: string | number) => (text === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(text));
  if (!row) return reportedLimit(value);
  return { soft: value(row[1]!), hard: value(row[2]!) };
}

/** What Node says of it, which takes it longer: gVisor has no such file. */
function reportedLimit(value: (text: string | number) => number): { soft: number; hard: number } | null {
  if (process.platform !== 'linux') return null;
  const report = process.report.getReport() as {
    userLimits?: { open_files?: Record<'soft' | 'hard', string | number> };
  };
  const limit = report.userLimits?.open_files;
  return limit ? { soft: value(limit.soft), hard: value(limit.hard) } : null;
}

/** Tells one boot of one machine from all others, in its containers too; null where the system has none. */
export const bootId = (texts: Texts): string | null => texts.read('/proc/sys/kernel/random/boot_id');
export const ownBootId = (): string | null => bootId(ownTexts);
