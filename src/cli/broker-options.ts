/** Options that say which broker, and by which right: the same for providers and clients. */
import { type Command, Option } from '@commander-js/extra-typings';
import { cacheFolder } from '../cache.js';
import { readTokens, type Tokens, tokensFile } from '../offload/tokens.js';
import { hostPort } from '../options.js';

const variable = 'DISPATCHBENCH_TOKEN';

/** Where a broker keeps what it has: the same default for whoever asks it on its own machine. */
export const folderOption = (about: string) =>
  new Option('--folder <folder>', about).default(
    cacheFolder('broker'),
    'dispatchbench/broker in the cache folder',
  );

export const withBrokerOptions = (command: Command, who: keyof Tokens) =>
  command
    .option('--broker <host:port>', 'where the broker listens (default: 127.0.0.1:7171)', hostPort)
    .option('--token <token>', `its token of ${who}s; better in the environment as ${variable}`)
    .addOption(folderOption("the broker's folder on this machine, which has its tokens"));

/** @throws Error in one sentence */
export function tokenFrom(
  who: keyof Tokens,
  { token, folder }: { token?: string | undefined; folder: string },
): string {
  const given = token ?? process.env[variable];
  if (given !== undefined) return given;
  try {
    return readTokens(folder)[who];
  } catch {
    throw new Error(
      `there is no token: give --token, set ${variable}, or name the broker's folder with --folder (${tokensFile(folder)} is not there)`,
    );
  }
}
