/** What a reader must know before believing a run: limits of its validity, worst first. */

import { mean, sampleStandardDeviation } from 'simple-statistics';
import type { RunInfo } from '../contract/run.js';
import { kindOf } from '../trials/registry.js';
import type { Sample } from '../trials/sample.js';
import { impossibleWork } from './reference/plausibility.js';

export interface Notice {
  level: 'serious' | 'caution' | 'good';
  text: string;
}

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Drift of the calibration loop beyond this share of its mean says the machine was not steady. */
const steadyShare = 0.1;

export function validityNotices(run: RunInfo | null, samples: readonly Sample[]): Notice[] {
  const notices: Notice[] = [];
  const say = (level: Notice['level'], text: string) => notices.push({ level, text });
  const hosts = new Map(samples.map(({ host }) => [host.name, host]));
  for (const host of hosts.values()) {
    if (host.executionClass === 'emulated' || host.executionClass === 'api') {
      say(
        'serious',
        `${host.name} is ${host.executionClass}: compare its figures only with its own reference.`,
      );
    } else if (host.executionClass !== 'native') {
      const below = [host.hypervisor, host.accelerator].filter(Boolean).join(', ');
      say(
        'caution',
        `${host.name} is a ${host.executionClass}${below ? ` (${below})` : ''}: neighbours and the layer below may show in the figures.`,
      );
    }
  }
  const measured = samples.filter(({ status }) => status === 'ok' || status === 'invalid');
  const shared = measured.filter(({ pinning }) => pinning.shared).length;
  if (shared > 0) {
    say('serious', `Client and server shared CPUs in ${shared} of ${plural(measured.length, 'trial')}.`);
  }
  const gates = new Map<string, { count: number; message: string; invalidates: boolean }>();
  for (const { gates: list } of measured) {
    for (const { id, message, invalidates } of list) {
      const known = gates.get(id) ?? { count: 0, message, invalidates };
      known.count++;
      gates.set(id, known);
    }
  }
  for (const [id, { count, message, invalidates }] of gates) {
    say(
      invalidates ? 'serious' : 'caution',
      `${id}: ${plural(count, 'trial')} ${invalidates ? 'left out of all verdicts' : 'marked'}, for example: ${message}`,
    );
  }
  const absurd = measured.flatMap(({ measurements, pinning, host }) => {
    const copyBytesPerSecond = run?.hosts[host.name]?.memoryCopy.bytesPerSecond ?? null;
    const limits = { serverCpus: pinning.server.length || host.vcpus, vcpus: host.vcpus, copyBytesPerSecond };
    const reasons = Object.values(measurements).map((one) => {
      const served = kindOf(one).served(one);
      return served && impossibleWork(served, limits);
    });
    return reasons.find((reason) => reason !== null) ?? [];
  });
  if (absurd.length > 0) {
    say(
      'serious',
      `${plural(absurd.length, 'trial')} cannot be true of any machine, for example: ${absurd[0]}.`,
    );
  }
  const failed = samples.filter(({ status }) => status === 'failed').length;
  if (failed > 0) say('caution', `${plural(failed, 'trial')} failed; the table of trials left out says how.`);
  for (const limit of run?.limits ?? []) say('caution', limit);
  for (const { host, reason } of run?.absent ?? [])
    say('caution', `${host} is not available here: ${reason}.`);
  for (const name of hosts.keys()) {
    const spins = measured
      .filter(({ host, calibrationNs }) => host.name === name && calibrationNs > 0)
      .map(({ calibrationNs }) => calibrationNs);
    const share = spins.length > 2 ? sampleStandardDeviation(spins) / mean(spins) : 0;
    if (share > steadyShare) {
      say(
        'caution',
        `${hosts.size > 1 ? `The machine of ${name}` : 'The machine'} was not steady: a fixed calibration loop varied by ${(100 * share).toFixed(0)} % between trials (one standard deviation).`,
      );
    }
  }
  if (run?.stopReason === 'interrupted' || (run && run.finishedAt === null)) {
    say('caution', 'The run did not finish; the figures are those of the trials it completed.');
  }
  if (run?.stopReason === 'budget') {
    say('caution', 'The time budget ended the run before every interval was as narrow as asked.');
  }
  if (!notices.some(({ level }) => level === 'serious')) {
    say(
      'good',
      'No measured trial shared CPUs between client and server or was limited by its client, as far as the suite can see.',
    );
  }
  const order = { serious: 0, caution: 1, good: 2 };
  return notices.sort((a, b) => order[a.level] - order[b.level]);
}
