/** `parley projections` on a data folder, where one file holds all views. */

import { join } from 'node:path';
import { foldOf } from '../../domain/aggregates.ts';
import { openSqliteEventLog, openSqliteLogReader } from '../../log/sqlite/event-log.ts';
import {
  inspectViews,
  type Remade,
  type Remaking,
  remakeViews,
  type TableSum,
  verifyViews,
} from '../../projections/embedded/verify.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { Config } from '../../schemas/config.ts';
import { Differs, type ProjectionsCommands } from './projections-port.ts';
import { counted, say, shown, table } from './terminal.ts';

const fileOf = ({ data }: Config): string => join(data, 'views.db');

/** While a server runs, the folder's lock reports it. */
const remade = async (config: Config, make: (options: Remaking) => Promise<Remade>): Promise<Remade> => {
  // Reports a missing file. Opening it for writing would create one.
  await (await openSqliteLogReader({ clock: systemClock, directory: config.data })).close();
  const log = await openSqliteEventLog({ clock: systemClock, directory: config.data });
  try {
    return await shown({ building: 'events' }, (at) =>
      make({
        file: fileOf(config),
        log,
        foldOf,
        clock: systemClock,
        onProgress: (done, head) => at('building', done, head),
      }),
    );
  } finally {
    await log.close();
  }
};

const rows = ({ count, checksum }: TableSum): string => `${counted(count, 'row')} (${checksum || 'no such table'})`;

const tell = ({ comparedAt, compared, differences }: Remade): void => {
  const many = counted(differences.length, 'difference');
  say(
    comparedAt === undefined
      ? 'the former views could not be compared: missing, damaged, or of another log'
      : `${counted(compared, 'table')} compared at position ${comparedAt}: ${many}`,
  );
  for (const { read, built } of differences) say(`  ${read.table}: read ${rows(read)}, built ${rows(built)}`);
};

const rebuild = async (config: Config): Promise<void> => {
  say('The views of this profile are one file: all of them are rebuilt.');
  tell(await remade(config, remakeViews));
  say('The views are as the log says.');
};

export const embeddedProjections: ProjectionsCommands = {
  async status(config) {
    const log = await openSqliteLogReader({ clock: systemClock, directory: config.data });
    try {
      const views = inspectViews(fileOf(config));
      const head = await log.head();
      if (views === undefined || !views.current || views.epoch !== log.epoch)
        return say('views.db is missing, or was not made from this log by this version: the next start makes it.');
      const { checkpoint, deadLetters } = views;
      table(
        ['views', 'position', 'events behind', 'dead letters'],
        [['all', checkpoint, Math.max(0, head - checkpoint), deadLetters.length]],
      );
    } finally {
      await log.close();
    }
  },

  rebuild,

  async verify(config) {
    const outcome = await remade(config, verifyViews);
    if (outcome.comparedAt === undefined)
      throw new Error(
        'nothing was compared: views.db is missing, damaged, or was not made from this log by this version; the next start makes it',
      );
    tell(outcome);
    if (outcome.differences.length > 0) throw new Differs();
    say('What is read is what the log says.');
  },

  async deadLetters(config) {
    const letters = inspectViews(fileOf(config))?.deadLetters ?? [];
    if (letters.length === 0) return say('There are no dead letters.');
    table(
      ['id', 'position', 'attempts', 'error'],
      letters.map(({ projection, stream, position, attempts, error }) => [
        `${projection}/${stream}`,
        position,
        attempts,
        error,
      ]),
    );
  },

  async retry(config) {
    say('In this profile what was left out is tried again by rebuilding.');
    await rebuild(config);
  },
};
