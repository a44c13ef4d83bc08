/** run.json as text -> what the run was. */
import { printable } from '../contract/printable.js';
import { type RunInfo, runInfo } from '../contract/run.js';
import { SCHEMA_VERSION } from '../contract/sample.js';
import { validated } from '../contract/validated.js';

/** Why a file of another version cannot be read, in one sentence. @param writer version of the suite, where it is known */
export const otherVersion = (path: string, schemaVersion: unknown, writer?: unknown): string =>
  `${path} was written by dispatchbench ${typeof writer === 'string' ? printable(writer) : 'of another version'} ` +
  `(schema version ${typeof schemaVersion === 'number' ? schemaVersion : 'unknown'}) and this one reads schema version ${SCHEMA_VERSION}: use the one that wrote it`;

/** @throws Error in one sentence */
export function parseInfo(text: string, path: string): RunInfo {
  let raw: { schemaVersion?: unknown; versions?: { dispatchbench?: unknown } } | null;
  try {
    raw = JSON.parse(text);
  } catch {
    throw new Error(`${path} is not JSON: restore it, or remove it to report without it`);
  }
  if (raw?.schemaVersion !== SCHEMA_VERSION)
    throw new Error(otherVersion(path, raw?.schemaVersion, raw?.versions?.dispatchbench));
  return validated(runInfo, raw, path);
}
