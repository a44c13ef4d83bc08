/**
 * Versions of a module, or of anything else that is exchanged under load: `v` and eight digits, which stand once in its
 * bytes, and at the beginning of each of its replies.
 */
export const versionText = (version: number): string => `v${`${version}`.padStart(8, '0')}`;

const pattern = /v(\d{8})(?!\d)/;

/** The version that a text begins with, or where `anywhere` has; null: none. */
export function versionIn(text: string, where: 'first' | 'anywhere' = 'first'): number | null {
  const found = pattern.exec(text);
  return found === null || (where === 'first' && found.index !== 0) ? null : Number(found[1]);
}

/** The same bytes as another version. @throws Error in one sentence when they have none, or more than one */
export function asVersion(bytes: Buffer, version: number): Buffer {
  const text = bytes.toString('latin1');
  const parts = text.split(pattern);
  if (parts.length !== 3) throw new Error('the file has no place for a version, v00000000, or several');
  return Buffer.from(text.replace(pattern, versionText(version)), 'latin1');
}
