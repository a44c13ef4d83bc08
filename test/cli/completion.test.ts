import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { Argument, Command, Option } from '@commander-js/extra-typings';
import { completionScript } from '../../src/cli/completion.js';
import { subcommandNames } from '../../src/cli/subcommands.js';
import { dispatchbench } from '../support/command.js';

const lacks = (shell: string) =>
  spawnSync(shell, ['-c', 'true']).error ? `there is no ${shell} here` : false;

/** What bash offers for the last of the words. */
function offered(script: string, ...words: string[]): string[] {
  const program = `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tool; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', program, 'bash', 'tool', ...words], {
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  return stdout.split('\n').filter(Boolean);
}

function tool() {
  const deep = new Command('deep')
    .description("it's deep; $(false) `false`")
    .addOption(new Option('--level <name>', "a 'level'").choices(['high', 'low']));
  const speak = new Command('speak').addArgument(new Argument('<language>').choices(['http', 'echo']));
  return new Command('tool').addCommand(new Command('group').addCommand(deep)).addCommand(speak);
}

describe('completion', () => {
  it('bash offers commands, choices of arguments and of options, and options', {
    skip: lacks('bash'),
  }, () => {
    const script = completionScript(tool(), 'bash');
    assert.deepEqual(offered(script, ''), ['group', 'speak', '--help']);
    assert.deepEqual(offered(script, 'group', 'd'), ['deep']);
    assert.deepEqual(offered(script, 'group', 'deep', '--l'), ['--level']);
    assert.deepEqual(offered(script, 'group', 'deep', '--level', ''), ['high', 'low']);
    assert.deepEqual(offered(script, 'speak', 'h'), ['http']);
  });

  it('fish gets a rule for each, with descriptions that it reads as text', () => {
    const script = completionScript(tool(), 'fish');
    assert.ok(
      script.includes(
        `complete -c tool -n "__tool_at 'group'" -f -a deep -d 'it\\'s deep; $(false) \`false\`'\n`,
      ),
    );
    assert.ok(script.includes(`-n "__tool_at 'group deep'" -l level -x -a 'high low' -d 'a \\'level\\''\n`));
  });

  it('covers every subcommand of ours, for every shell', () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { status, stdout, stderr } = dispatchbench('completion', shell);
      assert.equal(status, 0, stderr);
      for (const name of subcommandNames) assert.ok(stdout.includes(name), `${shell}: ${name}`);
      if (shell === 'fish' || lacks(shell)) continue;
      assert.equal(spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' }).stderr, '');
    }
  });
});
