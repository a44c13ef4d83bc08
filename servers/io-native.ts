/** io=native: the whole native server inside this process; JavaScript only starts it. The call blocks until it stops. */
import { addon, addonPath } from '../src/addon.js';
import { versions } from './hello.js';

interface ServerExports {
  serverRun(args: string[], versions: string, program: string): void;
}

/** Options that only the Node program has; the rest is for the native one. */
const ours = ['--impl', '--io'];

/** The options that a native server takes as well. */
export function nativeArguments(args: readonly string[]): string[] {
  const words = args.flatMap((arg) => (arg.startsWith('--') && arg.includes('=') ? splitOnce(arg) : [arg]));
  return words.filter((word, i) => !ours.includes(word) && !ours.includes(words[i - 1] ?? ''));
}

export function serveNative(args: readonly string[]): void {
  addon<ServerExports>().serverRun(nativeArguments(args), JSON.stringify(versions()), addonPath);
}

function splitOnce(arg: string): string[] {
  const at = arg.indexOf('=');
  return [arg.slice(0, at), arg.slice(at + 1)];
}
