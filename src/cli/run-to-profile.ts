/** The run that a profile is made part of. */
import type { Roles } from '../hosts/host.js';
import { findRun, readRun } from '../results/find.js';
import { changedSince } from '../run/resume.js';

/** Folder of the run. @throws Error when the run was taken on another host or by other programs */
export function runToProfile(name: string, { name: host, server, client }: Roles): string {
  const folder = findRun(name);
  const { info } = readRun(folder);
  if (!info)
    throw new Error(
      `${folder} has no run.json, so nobody can tell whether a profile fits it: leave out --run`,
    );
  const { versions, addonDigest } = server.look;
  const now = { facts: server.facts, client: client.facts, versions, addonDigest };
  const changed = changedSince(info.hosts, { [host]: now });
  if (changed)
    throw new Error(`a profile taken now does not belong to run ${info.id}: ${changed}; leave out --run`);
  return folder;
}
