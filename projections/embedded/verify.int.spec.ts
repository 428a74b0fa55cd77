import { existsSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { foldOf } from '../../domain/aggregates.ts';
import { systemClock } from '../../schemas/clock.ts';
import { Story } from '../testing.ts';
import { ViewsFolder } from './testing.ts';
import { inspectViews, remakeViews, verifyViews } from './verify.ts';

describe('the views file, rebuilt on request', () => {
  let views: ViewsFolder;
  let story: Story;
  let head: number;
  let before: Record<string, string>;

  beforeEach(async () => {
    views = new ViewsFolder();
    story = new Story();
    for (const userId of ['10', '11']) story.user(userId);
    story.guild('20', '10');
    story.channel('30', '20');
    story.join('20', '10');
    for (let n = 1; n <= 300; n += 1) {
      story.post('30', '10', { mentions: { users: ['11'], everyone: false } });
      if (n % 7 === 0) story.react('30', n, '11', '👍');
      if (n % 13 === 0) story.remove('30', n, '10');
    }
    head = story.log.all.length;
    await followed();
    before = views.checksums();
  });
  afterEach(() => views.remove());

  /** Waits until the file holds all that the log does. */
  const followed = async () => {
    const runtime = await views.open(story.log);
    runtime.start();
    await runtime.whenProcessed(story.log.all.length, 10_000);
    await runtime.stop();
  };
  const options = () => ({ file: views.file, log: story.log, foldOf, clock: systemClock, onProgress: () => {} });
  const spoiled = () => views.tamper(`UPDATE messages SET flags = 4 WHERE ordinal = 5`);

  it('is compared with the file in use, which stays as it is', async () => {
    expect(await verifyViews(options())).toMatchObject({ comparedAt: head, differences: [] });
    expect(views.checksums()).toEqual(before);
    expect(existsSync(`${views.file}.building`)).toBe(false);
  });

  it('shows a row that somebody changed, and fixes it when swapped in', async () => {
    spoiled();
    const found = [{ read: { table: 'messages', count: 300 }, built: { table: 'messages', count: 300 } }];
    expect(await verifyViews(options())).toMatchObject({ differences: found });
    expect(await remakeViews(options())).toMatchObject({ differences: found });
    expect(views.checksums()).toEqual(before);
    expect(await verifyViews(options())).toMatchObject({ differences: [] });
  });

  it('shows rows that are missing or that no event explains', async () => {
    views.tamper('DELETE FROM reactions WHERE message_id = (SELECT min(message_id) FROM reactions)');
    views.tamper('DELETE FROM users WHERE id = 11');
    const { differences } = await verifyViews(options());
    expect(differences.map(({ read }) => read.table)).toEqual(['reactions', 'users']);
  });

  it('is compared with a file that is behind the log, at the position of that file', async () => {
    story.post('30', '10');
    const { comparedAt, differences } = await remakeViews(options());
    expect([comparedAt, differences]).toEqual([head, []]);
    await followed();
    expect(inspectViews(views.file)).toMatchObject({ checkpoint: head + 1 });
  });

  it('is built where no file exists, and keeps the progress of the processes where one does', async () => {
    views.tamper('UPDATE views SET processes = 17');
    await remakeViews(options());
    expect(inspectViews(views.file)).toMatchObject({ processesThrough: 17, checkpoint: head, deadLetters: [] });
    rmSync(views.file);
    expect(inspectViews(views.file)).toBeUndefined();
    expect(await remakeViews(options())).toMatchObject({ comparedAt: undefined });
    expect(views.checksums()).toEqual(before);
  });

  it('reports dead letters, and applies the events that were skipped', async () => {
    views.tamper(`INSERT INTO dead_letters VALUES ('timelines', 'channel-30', 9, 'broken', 4)`);
    story.post('30', '10');
    await followed();
    expect(inspectViews(views.file)?.deadLetters).toEqual([
      { projection: 'timelines', stream: 'channel-30', position: 9, error: 'broken', attempts: 4 },
    ]);
    const { differences } = await remakeViews(options());
    expect(differences.map(({ read }) => read.table)).toEqual(['messages', 'timelines']);
    expect(inspectViews(views.file)?.deadLetters).toEqual([]);
  });
});
