import { describe, expect, it } from 'vitest';
import type { LogReader } from '../../log/port.ts';
import { Story } from '../../projections/testing.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { stateAt } from './routes.ts';

const event = (sequence: number, type: string, data: object) =>
  ({
    stream: 'guild-1',
    sequence,
    type,
    time: sequence * 1000,
    position: sequence,
    actor: '2',
    key: null,
    data,
  }) as unknown as ParleyEvent;

const posted = (n: number) =>
  event(n + 1, 'message-posted', {
    messageId: String(100 + n),
    ordinal: n,
    author: '2',
    messageType: 0,
    replyTo: null,
    mentions: { users: [], everyone: false },
    flags: 0,
    nonce: null,
    sealed: { by: '2', box: '' },
  });

const created = event(1, 'channel-created', {
  channelId: '5',
  kind: 'text',
  guildId: '1',
  name: 'general',
  topic: null,
  overwrites: [],
  participants: [],
});
const events = [created, ...Array.from({ length: 1500 }, (_, i) => posted(i + 1))];
const log: Pick<LogReader, 'readStream'> = {
  readStream: async ({ from = 1, limit }) => events.slice(from - 1, from - 1 + limit),
};

describe('the past state of a stream', () => {
  it('covers the whole stream when no moment is given', async () => {
    const then = await stateAt(log, 'channel-5', undefined);
    expect(then).toMatchObject({ stream: 'channel-5', sequence: 1501, time: new Date(1_501_000).toISOString() });
    expect(then!.state).toMatchObject({ sequence: 1501 });
  });

  it('covers all events, however large they are', async () => {
    const story = new Story();
    for (let n = 0; n < 120; n += 1) story.post('5', '2', { nonce: '😀'.repeat(16_384) });
    expect(await stateAt(story.log, 'channel-5', undefined)).toMatchObject({ sequence: 120 });
    expect(await stateAt(story.log, 'channel-5', { sequence: 110 })).toMatchObject({ sequence: 110 });
  });

  it('covers the events through a sequence', async () => {
    expect(await stateAt(log, 'channel-5', { sequence: 1 })).toMatchObject({ sequence: 1 });
    expect(await stateAt(log, 'channel-5', { sequence: 1200 })).toMatchObject({ sequence: 1200 });
    expect(await stateAt(log, 'channel-5', { sequence: 9999 })).toMatchObject({ sequence: 1501 });
  });

  it('covers the events up to a time', async () => {
    expect(await stateAt(log, 'channel-5', { time: 3500 })).toMatchObject({ sequence: 3 });
    expect(await stateAt(log, 'channel-5', { time: 0 })).toMatchObject({ sequence: 0, time: null });
  });

  it('does not exist for a name that no kind of stream has', async () => {
    expect(await stateAt(log, 'nonsense-5', undefined)).toBeUndefined();
  });
});
