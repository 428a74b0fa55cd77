import { statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { foldOf } from '../../domain/aggregates.ts';
import { systemClock } from '../../schemas/clock.ts';
import { type Connection, query } from '../../stores/sqlite/statements.ts';
import { Story } from '../testing.ts';
import { bootId, createFile, openFile, takeIntoUse } from './file.ts';
import { SqliteViewStore, sqliteProjections } from './store.ts';
import { ViewsFolder } from './testing.ts';

describe('the store of the views', () => {
  let folder: ViewsFolder;
  let story: Story;
  let db: Connection;
  let store: SqliteViewStore;

  beforeEach(() => {
    folder = new ViewsFolder();
    story = new Story();
    createFile(folder.file, story.log.epoch, bootId(), 0).close();
    const opened = openFile(folder.file, { epoch: story.log.epoch, head: 0 }, bootId());
    db = opened.db!;
    const { projections } = sqliteProjections(db, systemClock, { log: story.log, foldOf });
    store = new SqliteViewStore(folder.file, db, projections, { takeIntoUse: () => takeIntoUse(db, bootId(), 0) });
  });
  afterEach(async () => {
    await store.close(0);
    folder.remove();
  });

  const pragma = (name: string) => query<[string | number]>(db, `PRAGMA ${name}`).get()![0];
  const messages = () => query<[number]>(db, 'SELECT count(*) FROM messages').get()![0];

  it('uses write-ahead logging and never waits for the disk once something is written', async () => {
    expect(pragma('journal_mode')).toBe('delete');
    story.post('30', '10');
    await store.commit(story.since(0), 0);
    expect(pragma('journal_mode')).toBe('wal');
    expect(pragma('synchronous')).toBe(0);
    expect(query<[number]>(db, 'SELECT closed FROM views').get()).toEqual([0]);
  });

  it('is readable by its owner only', () => {
    expect(statSync(folder.file).mode & 0o777).toBe(0o600);
  });

  it('stores nothing of a batch when the disk is full, and all of it once there is room', async () => {
    for (let n = 0; n < 2000; n += 1) story.post('30', '10');
    db.exec(`PRAGMA max_page_count = ${pragma('page_count')}`);
    const failure: unknown = await store.commit(story.since(0), 0).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'SQLITE_FULL' });
    expect(store.classify(failure)).toBe('transient');
    expect([store.checkpoint, messages()]).toEqual([0, 0]);
    db.exec('PRAGMA max_page_count = 1000000');
    await store.commit(story.since(0), 0);
    expect([store.checkpoint, messages()]).toEqual([2000, 2000]);
  });

  it('tells apart damage, a full disk and an event that cannot be applied', () => {
    const kind = (code: string) => store.classify(Object.assign(new Error(code), { code }));
    expect(['SQLITE_CORRUPT', 'SQLITE_CORRUPT_VTAB', 'SQLITE_NOTADB', 'SQLITE_IOERR_SHORT_READ'].map(kind)).toEqual(
      Array(4).fill('damaged'),
    );
    expect(['SQLITE_FULL', 'SQLITE_IOERR_WRITE', 'SQLITE_READONLY'].map(kind)).toEqual(Array(3).fill('transient'));
    expect(store.classify(new TypeError('undefined is not a function'))).toBe('bug');
    expect(kind('SQLITE_CONSTRAINT_PRIMARYKEY')).toBe('permanent');
  });
});
