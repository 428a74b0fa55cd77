/** Guilds, users and direct channels, which can only be created. */

import { describe, expect, it } from 'vitest';
import { foldOf } from './aggregates.ts';
import { creationFold, nameCreation } from './creation.ts';
import { directFold, openDirect } from './direct.ts';
import { createGuild, guildFold } from './guild.ts';
import { ANN, BEN, CHANNEL, events, GUILD, History, OWNER, only } from './testing.ts';
import { type Register, register, userFold } from './user.ts';

describe('a guild', () => {
  it('is created once, whatever the name the second time', () => {
    const guild = {
      guildId: GUILD,
      name: 'One',
      ownerId: OWNER,
      everyone: '0',
      firstChannel: { id: CHANNEL, name: 'g' },
      systemChannelId: CHANNEL,
    };
    const history = new History(guildFold, `guild-${GUILD}`).given((state) => createGuild({ guild }, state));
    expect(history.state).toMatchObject({ sequence: 1, exists: true });
    expect(events(createGuild({ guild: { ...guild, name: 'Two' } }, history.state))).toEqual([]);
  });
});

describe('a user', () => {
  const ann: Register = { userId: ANN, kind: 'person', ownerId: null, profile: { username: 'ann', globalName: null } };

  it('is registered once, with the name as a secret', () => {
    const event = only(register(ann, userFold.initial()));
    expect(event).toEqual({
      type: 'user-registered',
      data: { userId: ANN, kind: 'person', ownerId: null },
      secret: { by: ANN, text: '{"username":"ann","globalName":null}' },
    });
    const history = new History(userFold, `user-${ANN}`).given((state) => register(ann, state));
    expect(events(register({ ...ann, profile: { username: 'other', globalName: null } }, history.state))).toEqual([]);
  });

  it('that is imported keeps the time of their first message', () => {
    expect(only(register({ ...ann, kind: 'imported', time: 7 }, userFold.initial())).time).toBe(7);
  });
});

describe('a direct channel', () => {
  it('is the same for both people, whoever opens it again', () => {
    const opened = new History(directFold, `dm-${ANN}_${BEN}`).given((state) =>
      openDirect({ channelId: CHANNEL, participants: [ANN, BEN] }, state),
    );
    expect(opened.state.channelId).toBe(CHANNEL);
    expect(events(openDirect({ channelId: '999', participants: [BEN, ANN] }, opened.state))).toEqual([]);
  });
});

describe('what is created under a key', () => {
  it('keeps its name for twenty minutes, after which the key is free', () => {
    const history = new History(creationFold, 'creation-a');
    const named = (name: string, now: number) => {
      const decided = events(nameCreation({ name, now }, history.state));
      history.record(decided, null, now);
      return decided.length > 0;
    };
    const minutes = 60_000;
    expect(named('one', 0)).toBe(true);
    for (const now of [0, -5 * minutes, 20 * minutes]) expect(named('other', now)).toBe(false);
    expect(history.state.name).toBe('one');
    expect(named('next', 20 * minutes + 1)).toBe(true);
    expect(history.state.name).toBe('next');
  });
});

describe('the fold of a stream', () => {
  it('is found by the name of the stream', () => {
    const kinds = ['channel-1', 'guild-1', 'member-1_2', 'invite-a', 'dm-1_2', 'user-1', 'read-1', 'creation-a'];
    expect(kinds.filter((stream) => foldOf(stream) === undefined)).toEqual([]);
    for (const stream of ['', '-', 'toString-1', '__proto__-1', 'channels-1']) expect(foldOf(stream)).toBeUndefined();
  });
});
