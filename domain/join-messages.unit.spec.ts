import { expect, it } from 'vitest';
import type { ChannelState } from './channel.ts';
import { announceJoining } from './join-messages.ts';
import { REMEMBERED_COUNT, REMEMBERED_MS } from './recent-keys.ts';
import { ANN, aChannel, aDirectChannel, BEN, events, GUILD, guild, NOW, only } from './testing.ts';

const joining = (key: string, more: object = {}) => ({
  ...{ userId: ANN, guild, key, joinedTime: NOW, now: NOW, low: 1n },
  ...more,
});

it('the message that somebody joined is theirs, empty, of type 7, and names nobody', () => {
  expect(only(announceJoining(joining('j'), aChannel().state))).toMatchObject({
    type: 'message-posted',
    data: {
      author: ANN,
      messageType: 7,
      ordinal: 1,
      replyTo: null,
      mentions: { users: [], everyone: false },
      flags: 0,
    },
    secret: { by: ANN, text: JSON.stringify({ content: '', embeds: [] }) },
  });
});

it('it is posted once, and not where the channel may have forgotten that it was', () => {
  const posted = aChannel().given((state) => announceJoining(joining('j'), state), 'j');
  expect(events(announceJoining(joining('j'), posted.state))).toEqual([]);
  const late = { now: NOW + REMEMBERED_MS };
  expect(events(announceJoining(joining('k', late), posted.state))).toHaveLength(1);
  const busy = aChannel();
  for (let n = 0; n < REMEMBERED_COUNT; n += 1)
    busy.given((state) => announceJoining(joining(`j${n}`, { userId: BEN }), state), `j${n}`);
  expect(events(announceJoining(joining('k'), busy.state))).toHaveLength(1);
  expect(events(announceJoining(joining('k', late), busy.state))).toEqual([]);
});

it('it is posted nowhere else than in a channel of the guild that a new member sees', () => {
  const channels: [what: string, state: ChannelState][] = [
    ['of no guild', aDirectChannel(ANN, BEN).state],
    ['of another guild', aChannel({ guildId: '101' }).state],
    ['a category', aChannel({ kind: 'category' }).state],
    ['hidden', aChannel({ overwrites: [{ id: GUILD, type: 0, allow: '0', deny: '1024' }] }).state],
    [
      'deleted',
      aChannel().record([{ type: 'channel-deleted', data: { channelId: '200', guildId: GUILD, children: [] } }], 'd')
        .state,
    ],
  ];
  for (const [what, state] of channels) expect(events(announceJoining(joining('j'), state)), what).toEqual([]);
  // It is the server that speaks.
  const silent = aChannel({ overwrites: [{ id: GUILD, type: 0, allow: '0', deny: '2048' }] }).state;
  expect(events(announceJoining(joining('j'), silent))).toHaveLength(1);
});
