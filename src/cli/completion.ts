/** Completion of words by a shell, from the same definitions as help: a table of what may follow each (sub)command. */
import type { CommandUnknownOpts } from '@commander-js/extra-typings';

export const shells = ['bash', 'zsh', 'fish'] as const;

/** A command by the words before it, and what may follow. */
interface Place {
  path: string;
  commands: { name: string; about: string }[];
  options: { flag: string; about: string; choices: readonly string[] }[];
  /** of its first argument */
  choices: readonly string[];
}

function places(command: CommandUnknownOpts, path = ''): Place[] {
  const below = command.commands.map((one) => ({
    name: one.name(),
    about: one.summary() || one.description(),
  }));
  const options = command.options.filter(({ long, hidden }) => long && !hidden);
  return [
    {
      path,
      commands: below,
      options: [
        ...options.map(({ long, description, argChoices }) => ({
          flag: long!,
          about: description,
          choices: argChoices ?? [],
        })),
        { flag: '--help', about: 'display help for command', choices: [] },
      ],
      choices: command.registeredArguments[0]?.argChoices ?? [],
    },
    ...command.commands.flatMap((one) => places(one, `${path} ${one.name()}`.trim())),
  ];
}

/** Names of ours hold nothing that a shell would read; descriptions do. */
const quoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;

const words = ({ commands, options, choices }: Place) =>
  [...commands.map(({ name }) => name), ...choices, ...options.map(({ flag }) => flag)].join(' ');

function bash(program: string, all: readonly Place[]): string {
  const choices = all.flatMap(({ path, options }) =>
    options
      .filter((one) => one.choices.length > 0)
      .map((one) => `    '${path} ${one.flag}') words='${one.choices.join(' ')}' ;;`),
  );
  const deeper = all.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `_${program}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path= word words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
    ${deeper.join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path $previous" in
${choices.join('\n')}
  esac
  [ -n "$words" ] || case "$path" in
${all.map((place) => `    '${place.path}') words='${words(place)}' ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _${program} ${program}
`;
}

/** Fish asks a function of ours which command the line has come to. */
function fish(program: string, all: readonly Place[]): string {
  const own = `__${program}_at`;
  const paths = all.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`]));
  const rules = all.flatMap(({ path, commands, options, choices }) => {
    const rule = (what: string, about: string) =>
      `complete -c ${program} -n "${own} '${path}'" ${what}${about === '' ? '' : ` -d ${quoted(about)}`}`;
    return [
      ...commands.map(({ name, about }) => rule(`-f -a ${name}`, about)),
      ...choices.map((name) => rule(`-f -a ${name}`, '')),
      ...options.map((one) =>
        rule(
          `-l ${one.flag.slice(2)}${one.choices.length > 0 ? ` -x -a '${one.choices.join(' ')}'` : ''}`,
          one.about,
        ),
      ),
    ];
  });
  return `function ${own}
  set -l path ''
  for word in (commandline -opc)[2..]
    set -l next (string trim "$path $word")
    contains -- "$next" ${paths.join(' ')}; and set path $next
  end
  test "$path" = "$argv[1]"
end
${rules.join('\n')}
`;
}

/** @param program with all that is below it @returns a script for the shell to read */
export function completionScript(program: CommandUnknownOpts, shell: (typeof shells)[number]): string {
  const name = program.name();
  const all = places(program);
  if (shell === 'fish') return fish(name, all);
  // zsh reads what bash reads.
  return `${shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}${bash(name, all)}`;
}
