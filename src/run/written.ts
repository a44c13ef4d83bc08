/** Files that users write, in YAML or JSON. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { z } from 'zod';
import { validated } from '../contract/validated.js';

/** @param what it is, for messages: 'the plan'. @throws Error in one sentence */
export function readWritten<Schema extends z.ZodType>(
  path: string,
  what: string,
  schema: Schema,
): z.infer<Schema> {
  let data: unknown;
  try {
    data = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${what} ${path} cannot be read: ${(error as Error).message.split('\n')[0]}`);
  }
  return validated(schema, data, `${what} ${path}`) as z.infer<Schema>;
}
