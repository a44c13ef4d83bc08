/** `dispatchbench probe`: which mechanisms this system has, and what each can do. */
import { Command } from '@commander-js/extra-typings';
import Table from 'cli-table3';
import type { BackendProbe } from '../../contract/probe.js';
import { type EngineProbe, listEngines } from '../../dispatch/completion.js';
import { listBackends } from '../../dispatch/registry.js';
import { withExamples } from '../examples.js';

export const probe = new Command('probe')
  .option('--json', 'print one JSON array instead of tables')
  .action(({ json }) => {
    const probes = listBackends();
    console.log(
      json
        ? JSON.stringify(probes, null, 2)
        : `${describeProbes(probes)}\n\n${describeEngines(listEngines())}`,
    );
  });

/** Two tables of at most 100 columns: what this system has, and what it lacks and why. */
export function describeProbes(probes: BackendProbe[]): string {
  const available = table(['backend', 'trigger', 'wait call', 'descriptors', 'timeout', 'a wait costs']);
  const absent = table(['backend', 'trigger', 'errno', 'not available because'], [15, 9, 8, 58]);
  for (const { name, trigger, errno, reason, capabilities } of probes) {
    if (capabilities) {
      available.push([
        name,
        trigger,
        capabilities.waitCall,
        capabilities.maxDescriptor < 0 ? 'process limit' : `up to ${capabilities.maxDescriptor}`,
        resolution(capabilities.timeoutResolutionNs),
        waitCosts[capabilities.waitComplexity],
      ]);
    } else {
      absent.push([name, trigger, errno, reason]);
    }
  }
  return `Available here\n${available}\n\nNot available here\n${absent}`;
}

/** One line for each, after the tables of backends, which they are not. */
export const describeEngines = (engines: readonly EngineProbe[]): string =>
  engines
    .map(
      ({ name, available, reason }) => `Completion engine ${name}: ${available ? 'available here' : reason}`,
    )
    .join('\n');

const waitCosts = {
  active: 'what is ready',
  registered: 'all registered',
  highest_descriptor: 'highest descriptor',
};

function resolution(ns: number): string {
  return ns >= 1e6 ? `${ns / 1e6} ms` : ns >= 1e3 ? `${ns / 1e3} us` : `${ns} ns`;
}

function table(head: string[], colWidths: number[] = []) {
  return new Table({ head, colWidths, wordWrap: true, style: { head: [], border: [], compact: true } });
}

withExamples(probe, [
  ['probe', 'two tables: what this system has, and what it lacks and why'],
  ['probe --json', 'for a program: schemas/probe.json'],
]);
