/** Data from outside against its schema; what is wrong is told in one sentence. */
import type { z } from 'zod';
import { printable } from './printable.js';

/** First problem of a zod error as words: where and what. Names of the data in it come out printable. */
export function firstIssue(error: z.ZodError): string {
  const [first] = error.issues;
  const where = first?.path.join('.');
  return printable(`${where ? `${where}: ` : ''}${first?.message ?? 'not valid'}`);
}

/** @throws Error with one sentence that begins with `what` */
export function validated<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (!result.success) throw new Error(`${what}: ${firstIssue(result.error)}`);
  return result.data;
}
