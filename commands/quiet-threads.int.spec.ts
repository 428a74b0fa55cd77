import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Views } from '../projections/port.ts';
import { TestClock } from '../schemas/clock.testing.ts';
import { channelStream } from '../schemas/streams.ts';
import { Instance } from '../test/support/write-side.ts';
import type { CommandDeps } from './command.ts';
import { LOOK_MS, quietThreads } from './quiet-threads.ts';

const HOUR = 3_600_000;

let instance: Instance;
let ada: string;
let channel: string;
beforeEach(async () => {
  instance = await Instance.open();
  ada = await instance.register('ada');
  channel = (await instance.guild(ada)).channel;
});
afterEach(() => instance.close());

const create = async (name: string): Promise<string> => {
  const thread = await instance.do(ada, 'thread.create', {
    ...{ channel_id: channel, name, type: 11, auto_archive_duration: 60 },
  });
  return thread.id;
};
const edit = (thread: string, fields: { readonly archived?: boolean; readonly locked?: boolean }) =>
  instance.do(ada, 'channel.edit', { channel_id: thread, ...fields });

/** When a thread in which nothing is said was created or archived, in milliseconds since 1970. */
const archiveTime = async (thread: string): Promise<number> =>
  (await instance.views.guilds.channel(thread))!.thread!.details.archiveTime;
const edits = async (thread: string) =>
  (await instance.stream(channelStream(thread))).filter(({ type }) => type === 'thread-edited');

const quiet = (time: number, clock: TestClock, more: Partial<CommandDeps> = {}) => {
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  return quietThreads({ ...instance.write.deps, ...more, now: () => time, clock, logger });
};

/** Looks once, at a time in milliseconds since 1970. */
const lookAt = async (time: number, more?: Partial<CommandDeps>): Promise<void> => {
  await instance.settled();
  const clock = new TestClock();
  const work = quiet(time, clock, more);
  work.start();
  await clock.advance(LOOK_MS);
  await work.stop();
  await instance.settled();
};

/** Views after whose answer about the last messages something happens before it is used. */
const viewsWhile = (happens: () => Promise<unknown>): Views => {
  const { unread } = instance.views;
  const heads: typeof unread.heads = async (ids) => {
    const answer = await unread.heads(ids);
    await happens();
    return answer;
  };
  return Object.create(instance.views, { unread: { value: Object.create(unread, { heads: { value: heads } }) } });
};

describe('a thread in which nothing is said', () => {
  it('is archived once it was quiet for as long as it is set to, and not before', async () => {
    const thread = await create('quiet');
    const due = (await archiveTime(thread)) + HOUR;
    await lookAt(due - 1);
    expect(await edits(thread)).toEqual([]);
    const { sequence } = await instance.log.streamHead(channelStream(thread));
    await lookAt(due);
    expect(await edits(thread)).toMatchObject([
      {
        ...{ actor: ada, key: `${thread}:thread.archive:${sequence}`, sequence: sequence + 1 },
        data: { details: { archived: true, archiveTime: due, name: 'quiet' }, wasArchived: false, posted: 0 },
      },
    ]);
    expect(await instance.views.guilds.activeThreads({ limit: 10 })).toEqual([]);
  });

  it('is archived again after it was unarchived', async () => {
    const thread = await create('twice');
    await lookAt((await archiveTime(thread)) + HOUR);
    await edit(thread, { archived: false });
    const due = (await archiveTime(thread)) + HOUR;
    await lookAt(due - 1);
    expect(await edits(thread)).toHaveLength(2);
    await lookAt(due);
    expect(await edits(thread)).toMatchObject([{}, {}, { data: { details: { archived: true } } }]);
  });

  it('stays active when somebody writes, also while it is looked at', async () => {
    const [spoken, speaking] = [await create('spoken'), await create('speaking')];
    const due = Math.max(await archiveTime(spoken), await archiveTime(speaking)) + HOUR;
    // Ids of messages are of milliseconds: these are later than that of the threads.
    await expect.poll(() => Date.now()).toBeGreaterThan(due - HOUR);
    await instance.send(ada, spoken, 'still here');
    await lookAt(due, { views: viewsWhile(() => instance.send(ada, speaking, 'just now')) });
    expect([...(await edits(spoken)), ...(await edits(speaking))]).toEqual([]);
    await lookAt(Date.now() + HOUR);
    expect([...(await edits(spoken)), ...(await edits(speaking))]).toHaveLength(2);
  });

  it('is archived when it is locked, and stays locked', async () => {
    const thread = await create('locked');
    await edit(thread, { locked: true });
    await lookAt((await archiveTime(thread)) + HOUR);
    expect((await edits(thread)).at(-1)).toMatchObject({ data: { details: { archived: true, locked: true } } });
  });

  it('is left alone when it is archived or deleted already', async () => {
    const [archived, deleted] = [await create('archived'), await create('deleted')];
    await edit(archived, { archived: true });
    await instance.do(ada, 'channel.delete', { channel_id: deleted });
    await lookAt(Date.now() + 24 * HOUR);
    expect(await edits(archived)).toHaveLength(1);
    expect(await edits(deleted)).toEqual([]);
  });

  it('is archived after a restart too', async () => {
    const thread = await create('kept');
    const due = (await archiveTime(thread)) + HOUR;
    await instance.reopen();
    await lookAt(due);
    expect(await edits(thread)).toMatchObject([{ data: { details: { archived: true } } }]);
  });

  it('is archived once when two look at the same time', async () => {
    const thread = await create('once');
    await instance.settled();
    const clock = new TestClock();
    const both = [1, 2].map(() => quiet(Date.now() + HOUR, clock));
    for (const one of both) one.start();
    await clock.advance(LOOK_MS);
    await Promise.all(both.map((one) => one.stop()));
    expect(await edits(thread)).toHaveLength(1);
  });
});

it('active threads are listed in pages, in order of id', async () => {
  const ids: string[] = [];
  for (const name of ['a', 'b', 'c', 'd']) ids.push(await create(name));
  await edit(ids[1]!, { archived: true });
  await instance.settled();
  const { guilds } = instance.views;
  const first = await guilds.activeThreads({ limit: 2 });
  expect(first.map(({ id }) => id)).toEqual([ids[0], ids[2]]);
  const second = await guilds.activeThreads({ after: first[1]!.id, limit: 2 });
  expect(second).toMatchObject([{ id: ids[3], name: 'd', thread: { details: { autoArchive: 60, archived: false } } }]);
});
