import { existsSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { foldOf } from '../../domain/aggregates.ts';
import { Story } from '../testing.ts';
import { ViewsFolder } from './testing.ts';
import { inspectViews, remakeViews, verifyViews } from './verify.ts';

describe('the views file, made anew on request', () => {
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

  /** Until the file holds all that the log does. */
  const followed = async () => {
    const runtime = await views.open(story.log);
    runtime.start();
    await runtime.whenProcessed(story.log.all.length, 10_000);
    await runtime.stop();
  };
  const options = () => ({ file: views.file, log: story.log, foldOf, onProgress: () => {} });
  const spoiled = () => views.tamper(`UPDATE messages SET flags = 4 WHERE ordinal = 5`);

  it('is compared with the one in use, which stays as it is', async () => {
    expect(await verifyViews(options())).toMatchObject({ comparedAt: head, differences: [] });
    expect(views.checksums()).toEqual(before);
    expect(existsSync(`${views.file}.building`)).toBe(false);
  });

  it('finds a row that somebody changed, and mends it when it is taken', async () => {
    spoiled();
    const found = [{ read: { table: 'messages', count: 300 }, built: { table: 'messages', count: 300 } }];
    expect(await verifyViews(options())).toMatchObject({ differences: found });
    expect(await remakeViews(options())).toMatchObject({ differences: found });
    expect(views.checksums()).toEqual(before);
    expect(await verifyViews(options())).toMatchObject({ differences: [] });
  });

  it('finds rows that are gone or that nobody told of', async () => {
    views.tamper('DELETE FROM reactions WHERE message_id = (SELECT min(message_id) FROM reactions)');
    views.tamper('DELETE FROM users WHERE id = 11');
    const { differences } = await verifyViews(options());
    expect(differences.map(({ read }) => read.table)).toEqual(['reactions', 'users']);
  });

  it('is compared where a file stands that was left behind', async () => {
    story.post('30', '10');
    const { comparedAt, differences } = await remakeViews(options());
    expect([comparedAt, differences]).toEqual([head, []]);
    await followed();
    expect(inspectViews(views.file)).toMatchObject({ checkpoint: head + 1 });
  });

  it('is made where there is none, and keeps how far the processes have got where there is one', async () => {
    views.tamper('UPDATE views SET processes = 17');
    await remakeViews(options());
    expect(inspectViews(views.file)).toMatchObject({ processesThrough: 17, checkpoint: head, deadLetters: [] });
    rmSync(views.file);
    expect(inspectViews(views.file)).toBeUndefined();
    expect(await remakeViews(options())).toMatchObject({ comparedAt: undefined });
    expect(views.checksums()).toEqual(before);
  });

  it('tells of dead letters, and takes what was left out', async () => {
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
