import { beforeEach, describe, expect, it } from 'vitest';
import { SLICE_MS } from '../schemas/time-slices.ts';
import { NOW, Shown } from './testing.ts';
import { wireTime } from './time.ts';

let shown: Shown;
beforeEach(() => {
  shown = new Shown().user('1', 'owner').user('2', 'ann');
});

describe('a message', () => {
  it("has Discord's shape, with its place in the channel", async () => {
    const row = shown.message('7', '2', 'hello', {
      ...{ mentions: { users: ['1'], everyone: true }, nonce: 'n', flags: 4 },
      reactions: [{ emoji: '👍', count: 2, me: true }],
    });
    expect(await shown.presenter.messages([row])).toEqual([
      {
        ...{ id: '7', channel_id: '20', content: 'hello', type: 0, flags: 4, nonce: 'n', sequence: 8, ordinal: 7 },
        ...{ timestamp: wireTime(NOW), edited_timestamp: null, tts: false, pinned: false },
        ...{ components: [], sticker_items: [] },
        ...{ mention_everyone: true, mention_roles: [], attachments: [], embeds: [] },
        author: expect.objectContaining({ id: '2', username: 'ann' }),
        mentions: [expect.objectContaining({ id: '1', username: 'owner' })],
        reactions: [
          {
            ...{ emoji: { id: null, name: '👍' }, count: 2, count_details: { burst: 0, normal: 2 } },
            ...{ me: true, me_burst: false, burst_colors: [] },
          },
        ],
      },
    ]);
  });

  it('keeps its place in a page, whoever wrote it', async () => {
    const rows = [shown.message('9', '1', 'c'), shown.message('8', '2', 'b'), shown.message('7', '1', 'a')];
    expect((await shown.presenter.messages(rows)).map(({ content }) => content)).toEqual(['c', 'b', 'a']);
    expect(await shown.presenter.messages([])).toEqual([]);
  });

  it('is one of many that are opened while other work runs in between', async () => {
    const rows = Array.from({ length: 100 }, (_, n) => shown.message(String(n + 1), '2', 'hello'));
    let turns = 0;
    let opening = true;
    const count = (): void => {
      turns += 1;
      if (opening) setImmediate(count);
    };
    setImmediate(count);
    await shown.presenter.messages(rows);
    opening = false;
    expect(turns).toBeGreaterThanOrEqual(rows.length / (SLICE_MS + 1));
  });

  it('is empty when it is deleted', async () => {
    const row = shown.message('7', '2', 'gone', { sealed: null, deleted: true });
    expect(await shown.presenter.messages([row])).toMatchObject([{ id: '7', content: '', embeds: [] }]);
  });

  it("is empty and by a deleted user when its author's key is gone", async () => {
    const row = shown.message('7', '2', 'hello');
    await shown.presenter.messages([row]);
    shown.erase('2');
    expect(await shown.presenter.messages([row])).toMatchObject([
      { content: '', author: { username: 'deleted-user' } },
    ]);
  });

  it('is not shown in another place than it was sealed for', async () => {
    const row = shown.message('7', '2', 'hello');
    const elsewhere = { ...row, channelId: '30' };
    const otherEvent = { ...row, sealedIn: 'another' };
    for (const moved of [elsewhere, otherEvent])
      expect(await shown.presenter.messages([moved])).toMatchObject([{ content: '' }]);
  });
});

describe('a reply', () => {
  it('shows what it replies to, and where', async () => {
    shown.message('7', '1', 'question');
    const row = shown.message('8', '2', 'answer', { replyTo: '7' });
    expect(await shown.presenter.messages([row])).toMatchObject([
      {
        ...{ type: 19, content: 'answer' },
        message_reference: { type: 0, channel_id: '20', guild_id: '10', message_id: '7' },
        referenced_message: { id: '7', content: 'question', author: { username: 'owner' } },
      },
    ]);
  });

  it('shows null for a target that is deleted or unknown', async () => {
    shown.message('7', '1', 'question', { deleted: true, sealed: null });
    for (const replyTo of ['7', '404']) {
      const [message] = await shown.presenter.messages([shown.message('8', '2', 'answer', { replyTo })]);
      expect(message).toMatchObject({ message_reference: { message_id: replyTo }, referenced_message: null });
    }
  });
});

describe('the dispatch of a message', () => {
  it('has the guild and the membership of its author', async () => {
    const event = shown.posted(shown.message('7', '2', 'hello'));
    expect(await shown.presenter.posted(event, '10')).toMatchObject({
      ...{ id: '7', guild_id: '10', content: 'hello', author: { username: 'ann' } },
      member: { joined_at: wireTime(NOW), roles: [] },
    });
  });

  it('omits the membership of an author who has left, and omits both in a direct channel', async () => {
    const left = await shown.presenter.posted(shown.posted(shown.message('7', '1', 'x')), '10');
    expect(left).not.toHaveProperty('member');
    const direct = await shown.presenter.posted(shown.posted(shown.message('8', '2', 'x')), null);
    expect(direct).not.toHaveProperty('guild_id');
  });

  it('is the same from caches, from text just posted and from the log', async () => {
    const event = shown.posted(shown.message('7', '2', 'hello'));
    const opened = await shown.presenter.posted(event, null);
    const again = (id: string) => ({ ...event, id }) as typeof event;
    expect(await shown.presenter.posted(again('other'), null, { content: 'hello', embeds: [] })).toEqual(opened);
    expect(await shown.presenter.posted(event, null)).toEqual(opened);
  });

  it("is empty once the author's key is gone, also when it was shown before", async () => {
    const event = shown.posted(shown.message('7', '2', 'hello'));
    await shown.presenter.posted(event, null);
    shown.erase('2');
    expect(await shown.presenter.posted(event, null)).toMatchObject({
      content: '',
      author: { username: 'deleted-user' },
    });
  });
});

describe('what was just said', () => {
  const said = { content: 'hello', embeds: [] };
  const event = () => shown.posted(shown.message('7', '2', 'hello'));

  it('is not kept when its author is forgotten while the answer is made', async () => {
    await shown.presenter.user('2');
    const posted = event();
    const answer = shown.presenter.posted(posted, '10', said);
    shown.erase('2');
    expect(await answer).toMatchObject({ content: 'hello' });
    expect(await shown.presenter.posted(posted, '10')).toMatchObject({ content: '' });
  });

  it('is kept for its dispatch, but no more than some megabytes of it', async () => {
    const posted = event();
    const answer = await shown.presenter.posted(posted, null, said);
    expect(await shown.presenter.posted(posted, null)).toBe(answer);
    const kept = await shown.presenter.posted(posted, null, said);
    const box = 'x'.repeat(98_304);
    const large = { ...posted, data: { ...posted.data, sealed: { ...posted.data.sealed, box } } };
    for (let i = 0; i < 100; i += 1) await shown.presenter.posted({ ...large }, null, said);
    expect(await shown.presenter.posted(posted, null)).not.toBe(kept);
  });
});

describe('the dispatch of an edit', () => {
  it('shows the message as that edit left it, at the sequence of the edit', async () => {
    const row = shown.message('7', '2', 'first');
    expect(await shown.presenter.edited(shown.edited(row, 'second'), '10')).toMatchObject({
      ...{ id: '7', content: 'second', edited_timestamp: wireTime(NOW + 1000), sequence: 99, ordinal: 7 },
      ...{ timestamp: wireTime(NOW), guild_id: '10' },
    });
  });

  it('shows an empty message when it has been deleted since', async () => {
    const row = shown.message('7', '2', 'first');
    const event = shown.edited(row, 'second');
    shown.rows[0] = { ...row, deleted: true, sealed: null };
    expect(await shown.presenter.edited(event, '10')).toMatchObject({ content: '' });
  });

  it('does not exist for an unknown message', async () => {
    const row = shown.message('7', '2', 'first');
    shown.rows.length = 0;
    expect(await shown.presenter.edited(shown.edited(row, 'second'), '10')).toBeUndefined();
  });
});
