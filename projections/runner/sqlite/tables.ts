/** Everything in the views file. */
import { audienceTables } from '../../audience/sqlite/store.ts';
import { guildTables } from '../../guild-views/sqlite/tables.ts';
import { snapshotTables } from '../../snapshots/sqlite/store.ts';
import { timelineTables } from '../../timelines/sqlite/tables.ts';
import { unreadTables } from '../../unread/sqlite/store.ts';

/** Changes with any table or projection: a file of another version is rebuilt from the log. */
export const VIEWS_VERSION = 4;

/** One row: what the file was made of, how far it has got, and in which boot of the machine it was last opened. */
const views = `
CREATE TABLE views (
  version INTEGER NOT NULL,
  epoch TEXT NOT NULL,
  boot TEXT NOT NULL,
  closed INTEGER NOT NULL,
  checkpoint INTEGER NOT NULL,
  processes INTEGER NOT NULL
);
`;

const deadLetters = `
CREATE TABLE dead_letters (
  projection TEXT NOT NULL,
  stream TEXT NOT NULL,
  position INTEGER NOT NULL,
  error TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  PRIMARY KEY (projection, stream)
) WITHOUT ROWID;
`;

export const allTables = [
  views,
  deadLetters,
  timelineTables,
  guildTables,
  unreadTables,
  audienceTables,
  snapshotTables,
].join('');
