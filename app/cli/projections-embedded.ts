/** `parley projections` on a data folder, where one file holds all views. */

import { join } from 'node:path';
import { foldOf } from '../../domain/aggregates.ts';
import type { LogReader } from '../../log/port.ts';
import { openSqliteLogReader } from '../../log/sqlite/log-reader.ts';
import {
  inspectViews,
  type Remade,
  type Remaking,
  remakeViews,
  type TableSum,
  verifyViews,
} from '../../projections/embedded/verify.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { Config } from '../../schemas/settings.ts';
import { openFolder, readFolder } from '../embedded/folder.ts';
import { Differs, type ProjectionsCommands } from './projections-port.ts';
import { counted, say, shown, table, wait } from './terminal.ts';

const fileOf = ({ data }: Config): string => join(data, 'views.db');

type Place = { readonly log: LogReader; close(): Promise<void> };

const made = async (
  config: Config,
  { log, close }: Place,
  make: (options: Remaking) => Promise<Remade>,
): Promise<Remade> => {
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
    await close();
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
  const place = { clock: systemClock, directory: config.data };
  // Reports a missing log. Opening the folder for writing would create one.
  await (await openSqliteLogReader(place)).close();
  // The views may be all that shows how long the log was: they are not replaced in a folder that is not whole.
  tell(await made(config, await openFolder({ ...place, say: wait }), remakeViews));
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
    const outcome = await made(config, await readFolder({ clock: systemClock, directory: config.data }), verifyViews);
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
