/** Who may ask and who may run: a word for each of both, which the broker makes at its first start. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { validated } from '../contract/validated.js';

const word = z.string().min(16).max(256);
const tokens = z.strictObject({ client: word, provider: word });
export type Tokens = z.infer<typeof tokens>;

export const tokensFile = (folder: string): string => join(folder, 'tokens.json');

/** @throws Error in one sentence */
export function readTokens(folder: string): Tokens {
  const file = tokensFile(folder);
  return validated(tokens, JSON.parse(readFileSync(file, 'utf8')), file);
}

export function tokensOf(folder: string): Tokens {
  const made = () => randomBytes(24).toString('base64url');
  if (!existsSync(tokensFile(folder)))
    writeFileSync(tokensFile(folder), `${JSON.stringify({ client: made(), provider: made() }, null, 2)}\n`, {
      mode: 0o600,
    });
  return readTokens(folder);
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/** In a time that does not tell how much of it is right. */
export const same = (given: string, wanted: string): boolean =>
  timingSafeEqual(digest(given), digest(wanted));
