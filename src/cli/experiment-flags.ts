/** The flags that an experiment declares, as options of a command. */
import { Option } from '@commander-js/extra-typings';
import type { Flag } from '../experiments/experiment.js';

/**
 * Adds the flags to a command.
 * @returns what makes the experiment's settings of the command's values: those only that were given
 */
export function addFlags(
  command: { addOption(option: Option): unknown },
  flags: readonly Flag[],
): (values: object) => Record<string, unknown> {
  const settings = new Map<string, string>();
  for (const { flags: text, description, setting, parse } of flags) {
    const option = new Option(text, description).argParser(parse);
    settings.set(option.attributeName(), setting);
    command.addOption(option);
  }
  return (values) =>
    Object.fromEntries(
      Object.entries(values).flatMap(([option, value]) => {
        const setting = settings.get(option);
        return setting === undefined || value === undefined ? [] : [[setting, value]];
      }),
    );
}
