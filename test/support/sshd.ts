/** An sshd of the test's own on loopback, with keys of its own, and an `ssh` in PATH that knows it as `there`. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { bin } from './command.js';
import { freePort } from './free-port.js';

const sshd = '/usr/sbin/sshd';

/** false, or why tests that start an sshd are skipped */
export const noSshd: false | string = !existsSync(sshd)
  ? 'there is no sshd: install openssh-server'
  : process.getuid?.() !== 0
    ? 'sshd starts sessions for root alone here: run as root'
    : spawnSync('ssh', ['-V']).status !== 0
      ? 'there is no ssh: install openssh-client'
      : false;

export interface Sshd {
  process: ChildProcess;
  /** PATH in which `ssh there` reaches it */
  path: string;
  stop(): Promise<void>;
}

function script(path: string, ...words: string[]): void {
  writeFileSync(path, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
}

/**
 * @param dispatchbench what that command is there; ours when left out
 * @param tools the only other programs that there are by name, by their paths; left out: those of this machine
 */
export async function startSshd(
  dispatchbench: readonly string[] = [process.execPath, bin],
  tools?: Readonly<Record<string, string>>,
): Promise<Sshd> {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-ssh-'));
  const at = (name: string) => join(folder, name);
  for (const key of ['host', 'user'])
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(key)], { stdio: 'ignore' });
  mkdirSync(at('there'));
  mkdirSync(at('here'));
  if (tools) for (const [name, path] of Object.entries(tools)) symlinkSync(path, at(`there/${name}`));
  else script(at('there/dispatchbench'), ...dispatchbench);
  script(at('here/ssh'), '/usr/bin/ssh', '-F', at('config'));
  const port = await freePort();
  // What a session has in its environment is what the test looks for afterwards.
  const kept = `DISPATCHBENCH_TEST=${process.env.DISPATCHBENCH_TEST ?? ''}`;
  writeFileSync(
    at('sshd_config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${at('host')}`,
      `AuthorizedKeysFile ${at('user.pub')}`,
      `PidFile ${at('pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin prohibit-password',
      'PasswordAuthentication no',
      `SetEnv PATH=${at('there')}${tools ? '' : ':/usr/bin:/bin'} ${kept}`,
    ].join('\n'),
  );
  writeFileSync(
    at('config'),
    [
      'Host there',
      '  HostName 127.0.0.1',
      `  Port ${port}`,
      `  User ${userInfo().username}`,
      `  IdentityFile ${at('user')}`,
      '  IdentitiesOnly yes',
      '  StrictHostKeyChecking no',
      `  UserKnownHostsFile ${at('known')}`,
      '  LogLevel ERROR',
    ].join('\n'),
  );
  const madeRun = !existsSync('/run/sshd');
  mkdirSync('/run/sshd', { recursive: true });
  const child = spawn(sshd, ['-D', '-e', '-f', at('sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  await new Promise<void>((resolve, reject) => {
    let said = '';
    child.stderr!.on('data', (chunk) => {
      said += chunk;
      if (said.includes('Server listening')) resolve();
    });
    child.once('exit', () => reject(new Error(`sshd ended: ${said}`)));
  });
  return {
    process: child,
    path: `${at('here')}${delimiter}${process.env.PATH}`,
    async stop() {
      const over = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await over;
      }
      rmSync(folder, { recursive: true, force: true });
      if (madeRun) rmSync('/run/sshd', { recursive: true, force: true });
    },
  };
}
