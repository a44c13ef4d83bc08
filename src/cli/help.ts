/** How help reads, the same for all commands and for what is made of it. */
import { Help, type HelpConfiguration } from '@commander-js/extra-typings';

const usual = new Help();

export const helpStyle: HelpConfiguration = {
  // Arguments and options of a subcommand are its own help's.
  subcommandTerm: (command) => command.name(),
  // That a switch is off unless it is given goes without saying.
  optionDescription: (option) =>
    usual.optionDescription(option).replace(/ \(default: false\)$|, default: false(?=\)$)/, '') +
    (option.mandatory ? ' (required)' : ''),
};
