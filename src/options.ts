/** Parsers of option values, shared by subcommands and programs. What they refuse is told in one sentence. */
import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { opposite } from './contract/conditions.js';
import { parseCpuList } from './cpu-list.js';

const units: Record<string, number> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** '500ms', '1.5s', '10m' -> nanoseconds */
export function duration(text: string): number {
  const [, number, unit] = text.match(/^(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)$/) ?? [];
  if (!number) throw new InvalidArgumentError(`'${text}' is not a duration: write 500ms, 10s or 5m.`);
  return Math.round(Number(number) * units[unit!]!);
}

/** An option in nanoseconds whose default is shown as a user would write it. */
export function durationOption<const Flags extends string>(
  flags: Flags,
  description: string,
  fallback: string,
) {
  return new Option(flags, description).argParser(duration).default(duration(fallback), fallback);
}

export function wholeNumber(low: number, high: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < low || value > high) {
      throw new InvalidArgumentError(`'${text}' is not a whole number from ${low} to ${high}.`);
    }
    return value;
  };
}

export function percentage(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value > 100) {
    throw new InvalidArgumentError(`'${text}' is not a number from 0 to 100.`);
  }
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0) {
    throw new InvalidArgumentError(`'${text}' is not a number above 0.`);
  }
  return value;
}

/** '0,2-3' -> [0, 2, 3] */
export function cpuList(text: string): number[] {
  if (!/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text)) {
    throw new InvalidArgumentError(`'${text}' is not a list of CPUs: write 0 or 0,2-3.`);
  }
  return parseCpuList(text);
}

/** '50,99.9' -> [50, 99.9] */
export function percentiles(text: string): number[] {
  return text.split(',').map((part) => {
    const value = Number(part.trim().replace(/^p/, ''));
    if (!/^p?\d+(\.\d+)?$/.test(part.trim()) || value > 100)
      throw new InvalidArgumentError(`'${part}' is no percentile: write 50,99,99.9.`);
    return value;
  });
}

/**
 * `--threshold`: conditions that have to hold; and `--fail-if` as it was, which says what must not.
 * @param parse several conditions in one text; throws Error in one sentence
 * @param turned the condition that has to hold where one must not
 */
export function thresholdOptions<T>(parse: (text: string) => T[], examples: string, turned = opposite) {
  const gather =
    (meant: (text: string) => string) =>
    (text: string, before: T[] = []): T[] => {
      try {
        return [...before, ...parse(meant(text))];
      } catch (error) {
        throw new InvalidArgumentError((error as Error).message);
      }
    };
  const old = new Option('--fail-if <condition>', 'what must not hold').argParser(gather(turned)).hideHelp();
  old.attributeName = () => 'threshold';
  return {
    threshold: new Option(
      '--threshold <conditions>',
      `what has to hold: ${examples}; exit code 2 where it does not, 3 where that cannot be told; may be repeated`,
    ).argParser(gather((text) => text)),
    old,
  };
}

export interface HostPort {
  host: string;
  port: number;
}

/** '127.0.0.1:8080' or '[::1]:8080' */
export function hostPort(text: string): HostPort {
  const [, bracketed, plain, digits] = text.match(/^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/) ?? [];
  const port = Number(digits);
  if (!digits || port < 1 || port > 65535) {
    throw new InvalidArgumentError(`'${text}' is not HOST:PORT with a port from 1 to 65535.`);
  }
  return { host: bracketed ?? plain!, port };
}

/** The inverse of hostPort(). */
export function targetText({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
