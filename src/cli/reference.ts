/** The command line as a reference in Markdown and as a manual page, from the same definitions as help. Pure. */
import { type CommandUnknownOpts, Help, type Option } from '@commander-js/extra-typings';
import { exitCodes } from '../exit-codes.js';
import { type Example, examplesOf } from './examples.js';
import { helpStyle } from './help.js';

interface Term {
  term: string;
  about: string;
}

/** A command as a reader looks it up. */
export interface Entry {
  /** 'dispatchbench run quick' */
  path: string;
  usage: string;
  about: string;
  arguments: Term[];
  options: Term[];
  examples: readonly Example[];
  below: Entry[];
}

const helper = Object.assign(new Help(), helpStyle);

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1).replace(/\.$/, '');

const optionTerm = (option: Option): Term => ({
  term: helper.optionTerm(option as never),
  about: helper.optionDescription(option as never),
});

const sameTerm = (a: Term) => (b: Term) => a.term === b.term && a.about === b.about;

/** Options that all commands of a group have stand with the group. */
function shareOptions(entry: Entry): Entry {
  const [first, ...others] = entry.below;
  if (!first || others.length === 0) return entry;
  const shared = first.options.filter((one) => others.every(({ options }) => options.some(sameTerm(one))));
  const below = entry.below.map((one) => ({
    ...one,
    options: one.options.filter((option) => !shared.some(sameTerm(option))),
  }));
  return { ...entry, below, options: [...entry.options, ...shared] };
}

/** @param examples of a command that is none of ours by table */
export function entryOf(
  command: CommandUnknownOpts,
  above = '',
  examples: readonly Example[] = examplesOf(command),
): Entry {
  const path = `${above} ${command.name()}`.trim();
  return shareOptions({
    path,
    usage: `${path} ${command.usage()}`,
    about: sentence(command.description() || command.summary()),
    arguments: command.registeredArguments.map((one) => ({
      term: one.name(),
      about: helper.argumentDescription(one),
    })),
    options: command.options.filter(({ hidden }) => !hidden).map(optionTerm),
    examples,
    below: command.commands.map((one) => entryOf(one, path)),
  });
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');

const termTable = (what: string, terms: readonly Term[]): string[] =>
  terms.length === 0
    ? []
    : [
        `| ${what} | meaning |`,
        '|---|---|',
        ...terms.map(({ term, about }) => `| \`${term.replaceAll('|', '\\|')}\` | ${cell(about)} |`),
        '',
      ];

function sections({ path, usage, about, examples, below, ...entry }: Entry, depth: number): string[] {
  const program = path.split(' ')[0];
  return [
    `${'#'.repeat(Math.min(4, depth))} ${path}`,
    '',
    `${cell(about)}.`,
    '',
    '```text',
    usage,
    ...examples.flatMap(([line, purpose]) => ['', `# ${purpose}`, `${program} ${line}`]),
    '```',
    '',
    ...termTable('argument', entry.arguments),
    ...termTable(below.length > 0 && path !== program ? 'option of all of these' : 'option', entry.options),
    ...below.flatMap((one) => sections(one, depth + 1)),
  ];
}

/** @param entries programs */
export const markdown = (title: string, entries: readonly Entry[]): string =>
  [
    `# ${title}`,
    '',
    'Made from the definitions that `--help` shows (`npm run reference`).',
    '',
    ...entries.flatMap((one) => sections(one, 2)),
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    ...exitCodes.map(([code, meaning]) => `| ${code} | ${meaning} |`),
    '',
    'What `--threshold` takes: [conditions](../exit-codes.md).',
    '',
  ].join('\n');

/** Text as troff reads it: no escape, no request, no hyphen that a copy would turn into a dash. */
const roff = (text: string) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('\n', ' ')
    .replace(/^([.'])/, '\\&$1');

const terms = (all: readonly Term[]) =>
  all.flatMap(({ term, about }) => ['.TP', `.B ${roff(term)}`, roff(about) || '\\&']);

function manualSections({ path, usage, about, below, ...entry }: Entry): string[] {
  return [
    `.SS ${roff(path.split(' ').slice(1).join(' '))}`,
    roff(`${about}.`),
    '.PP',
    `.B ${roff(usage)}`,
    ...terms([...entry.arguments, ...entry.options]),
    ...below.flatMap(manualSections),
  ];
}

const everyExample = (entry: Entry): Example[] => [...entry.examples, ...entry.below.flatMap(everyExample)];

/** A manual page of section 1. */
export function manual(entry: Entry, version: string, others: readonly string[]): string {
  const { path: name, about, usage, below } = entry;
  return [
    `.TH ${roff(name.toUpperCase())} 1 "" "${roff(`${name} ${version}`)}"`,
    '.SH NAME',
    `${roff(name)} \\- ${roff(about)}`,
    '.SH SYNOPSIS',
    `.B ${roff(usage)}`,
    ...(entry.options.length + entry.arguments.length > 0
      ? ['.SH OPTIONS', ...terms([...entry.arguments, ...entry.options])]
      : []),
    ...(below.length > 0 ? ['.SH COMMANDS', ...below.flatMap(manualSections)] : []),
    '.SH EXIT STATUS',
    ...terms(exitCodes.map(([term, meaning]) => ({ term, about: meaning }))),
    '.SH EXAMPLES',
    ...everyExample(entry).flatMap(([line, purpose]) => [
      '.TP',
      roff(purpose),
      `.B ${roff(`${name} ${line}`)}`,
    ]),
    '.SH SEE ALSO',
    others.map((other) => `.BR ${roff(other)} (1)`).join('\n'),
    '',
  ].join('\n');
}
