/** Items to be placed on hosts, as a user writes them: guests, load clients, servers. */
import { z } from 'zod';
import { identifier } from './common.js';

const amount = z.number().nonnegative().max(1e9);
const pair = z
  .tuple([identifier, identifier])
  .refine(([one, other]) => one !== other, 'names one item twice');

export const placedItem = z.strictObject({
  name: identifier,
  /** CPUs that it keeps busy */
  cpus: amount.default(0),
  memoryMiB: amount.default(0),
  /** hosts that may have it, by name; left out: any */
  hosts: z.array(identifier).min(1).optional(),
});

export const itemsFile = z.strictObject({
  items: z
    .array(placedItem)
    .min(1)
    .max(2000)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'two have one name'),
  /** pairs on one host */
  together: z.array(pair).default([]),
  /** pairs on two hosts: noisy neighbours */
  apart: z.array(pair).default([]),
  /** pairs whose hosts are at most so far from each other, as was measured */
  near: z.array(z.strictObject({ items: pair, mostMs: z.number().positive() })).default([]),
});
export type ItemsFile = z.infer<typeof itemsFile>;
