/**
 * A machine of its own behind ssh, in place of those whose images nobody can get here: a Linux guest that has a kernel, an
 * sshd and busybox, and nothing of ours.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { before, test } from 'node:test';
import { readGuest } from '../../src/hosts/guest-file.js';
import { bootLinux } from '../../src/hosts/linux-guest.js';
import { libraries } from '../../src/hosts/own-files.js';
import { guestNetwork, imageParts, qemuLinux } from '../../src/hosts/qemu-linux.js';
import { wireAddresses, wirePrefix } from '../../src/hosts/wire.js';
import { RunFolder } from '../../src/results/folder.js';
import { measuredAs } from '../../src/trials/sample.js';
import { freshFolder } from '../run/fake-run.js';
import { buildCarried } from '../support/carried.js';
import { bin } from '../support/command.js';
import { footprint, restored } from '../support/footprint.js';
import { noSshd } from '../support/sshd.js';
import { idle, planIn } from './small-plans.js';

const skip = noSshd || ((await qemuLinux.unavailable()) ?? false);
const sshd = '/usr/sbin/sshd';

before(() => {
  if (!skip) buildCarried();
});

/** The serial port carries one frame, which says that the sshd listens, and the machine ends with it. */
const init = `#!/bin/sh
export PATH=/bin:/usr/bin:/usr/sbin HOME=/
/bin/busybox mkdir -p /etc/ssh /run/sshd
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod "$module" || poweroff -f; done
ip link set lo up
ip address add "$GUEST_ADDRESS" dev eth0
ip link set eth0 up
ulimit -n "$GUEST_DESCRIPTORS"
chmod 600 /etc/ssh/host
chmod 755 / /run /run/sshd
${sshd} -f /etc/ssh/config
while port=$(echo /dev/vport*) && [ "$port" = '/dev/vport*' ]; do usleep 10000; done
exec 3<>"$port"
echo '{"type":"ready","version":"","node":"","scripts":"","cli":"","native":""}' >&3
cat <&3 >/dev/null
poweroff -f
`;

/** What such a guest is made of, and a folder with an `ssh` that knows it as `guest`. */
function prepared() {
  const folder = freshFolder();
  const at = (name: string) => join(folder, name);
  for (const key of ['host', 'user'])
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(key)], { stdio: 'ignore' });
  const texts = {
    init,
    passwd: 'root:x:0:0:root:/:/bin/sh\nsshd:x:100:65534::/run/sshd:/bin/false\n',
    group: 'root:x:0:\nnogroup:x:65534:\n',
    config:
      'HostKey /etc/ssh/host\nAuthorizedKeysFile /etc/ssh/user.pub\nStrictModes no\nUsePAM no\n' +
      'PermitRootLogin prohibit-password\n',
    known: '',
    client: [
      'Host guest',
      `  HostName ${wireAddresses.server}`,
      '  User root',
      `  IdentityFile ${at('user')}`,
      '  IdentitiesOnly yes',
      '  StrictHostKeyChecking no',
      `  UserKnownHostsFile ${at('known')}`,
      '  LogLevel ERROR',
    ].join('\n'),
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(at(name), text);
  mkdirSync(at('here'));
  writeFileSync(at('here/ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${at('client')} "$@"\n`, { mode: 0o755 });
  const there = { passwd: 'etc/passwd', group: 'etc/group', config: 'etc/ssh/config', host: 'etc/ssh/host' };
  const files = [
    ...[sshd, ...libraries([sshd])].map((path) => ({ from: path, to: path })),
    ...Object.entries({ ...there, 'user.pub': 'etc/ssh/user.pub' }).map(([name, to]) => ({
      from: at(name),
      to,
    })),
  ];
  return { parts: { ...imageParts(), init: at('init'), files }, path: at('here') };
}

test('a guest with an sshd and nothing of ours is measured, the client outside', { skip }, async () => {
  const untouched = footprint();
  const { parts, path } = prepared();
  const network = await guestNetwork();
  try {
    const at = { network, tap: 'tap0', address: `${wireAddresses.server}/${wirePrefix}` };
    const machine = await bootLinux(readGuest('linux'), parts, 'tcg', at);
    const out = freshFolder();
    const runs = join(out, 'runs');
    const plan = planIn(out, 'idle-connections', { ...idle, impls: ['native', 'baseline'] });
    const args = [bin, 'run', 'idle-connections', '--plan', plan, '--host', 'ssh-bare:guest', '--out', runs];
    const entered = network.enter({ command: process.execPath, args });
    const env = { ...process.env, PATH: `${path}${delimiter}${process.env.PATH}` };
    const runner = spawn(entered.command, entered.args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    runner.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const status = await new Promise((resolve) => runner.once('close', resolve));
    await machine.close();
    assert.equal(status, 0, said);
    const samples = RunFolder.open(runs, readdirSync(runs)[0]!).samples();
    assert.equal(samples.length, 8);
    for (const sample of samples) {
      const { host, clientHost, server, error } = sample;
      assert.equal(error, null);
      assert.deepEqual([host.name, host.transport, host.clockSource], ['ssh-bare-guest', 'network', 'tsc']);
      assert.notEqual(host.kernel, clientHost.kernel, 'the guest has a kernel of its own');
      assert.equal(server!.kernel, host.kernel);
      assert.equal(server!.address, wireAddresses.server);
      assert.equal(measuredAs(sample, 'load').length, 2);
    }
  } finally {
    await network.close();
  }
  await restored(untouched);
});
