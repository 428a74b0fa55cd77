/** How the command line answers what it does not know. */

import { type Command, Option } from 'commander';
import leven from 'leven';

/** How many of its letters, one in so many, may be wrong in a word that is misspelt and not another one. */
const LETTERS_PER_SLIP = 3;

const needed = new WeakSet<Option>();

/**
 * An option that must be given. Commander's `requiredOption` is checked before unknown options are found, so a misspelt one
 * would be called missing.
 */
export const neededOption = (flags: string, description: string): Option => {
  const option = new Option(flags, description);
  needed.add(option);
  return option;
};

const refuseMissing = (command: Command): void => {
  const missing = command.options.find(
    (one) => needed.has(one) && command.getOptionValue(one.attributeName()) === undefined,
  );
  if (missing !== undefined) command.error(`error: required option '${missing.flags}' not specified`);
};

interface Place {
  readonly name: string;
  readonly path: string;
}

const placesIn = (command: Command, path: string): readonly Place[] =>
  command.commands.flatMap((one) => {
    const its = `${path} ${one.name()}`;
    return [{ name: one.name(), path: its }, ...placesIn(one, its)];
  });

const refuseUnknown = (command: Command, word: string, places: readonly Place[]): void => {
  const same = places.filter(({ name }) => name === word);
  const meant =
    same.length > 0 ? same : places.filter(({ name }) => leven(word, name) * LETTERS_PER_SLIP <= word.length);
  const hint = meant.length === 0 ? '' : `\n(Did you mean ${meant.map(({ path }) => path).join(', or ')}?)`;
  command.error(`error: unknown command '${word}'${hint}`);
};

/** Names every place where an unknown command exists, such as `log export` for `export`. Call it when all commands are there. */
export const explainUsage = (program: Command): void => {
  const places = placesIn(program, program.name());
  const listen = (command: Command): void => {
    if (command.commands.length > 0)
      command.on('command:*', ([word = '']: string[]) => refuseUnknown(command, word, places));
    for (const one of command.commands) listen(one);
  };
  listen(program);
  program.hook('preAction', (_, command) => refuseMissing(command));
};
