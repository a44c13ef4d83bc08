/** Whether a module may be loaded at all, decided by its bytes before anything is made of them. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { UsageError } from './options.js';

/** Where the signature of a module lies: 64 bytes of ed25519. */
export const signatureOf = (file: string): string => `${file}.sig`;

export interface Trust {
  /** a file with a SHA-256 at the start of each line, as sha256sum writes it; null: any digest will do */
  digests: string | null;
  /** who signs; null: nobody has to */
  key: KeyObject | null;
}

/** What stands before the 32 bytes of a public key of ed25519 in DER (RFC 8410). */
const spki = Buffer.from('302a300506032b6570032100', 'hex');

/** @param hex 64 digits. @throws UsageError */
export function publicKey(hex: string): KeyObject {
  if (!/^[0-9a-f]{64}$/i.test(hex))
    throw new UsageError(`--key must be a public key of ed25519 in 64 digits, not '${hex}'`);
  return createPublicKey({
    key: Buffer.concat([spki, Buffer.from(hex, 'hex')]),
    format: 'der',
    type: 'spki',
  });
}

function readOr(what: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Error(`${what} ${path} cannot be read: ${(error as Error).message}`);
  }
}

/** @throws Error with one sentence when the module must not be loaded */
export function checkTrust({ digests, key }: Trust, file: string, bytes: Uint8Array, sha256: string): void {
  if (digests !== null) {
    const lines = readOr('the list of digests', digests).toString('latin1').split('\n');
    if (!lines.some((line) => line.slice(0, 64).toLowerCase() === sha256))
      throw new Error(`its digest ${sha256} is not in ${digests}`);
  }
  if (key !== null) {
    const path = signatureOf(file);
    if (!verify(null, bytes, key, readOr('its signature', path)))
      throw new Error(`${path} is no signature of it by the key that is trusted`);
  }
}
