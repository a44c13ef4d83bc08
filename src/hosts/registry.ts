/** Kinds of hosts by name. A new kind is one file and one line here. */
import type { Host } from './host.js';
import { LocalHost } from './local.js';

export const hosts: Record<string, () => Host> = {
  local: () => new LocalHost(),
};
