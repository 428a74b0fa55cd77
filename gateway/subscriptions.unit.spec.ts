import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Intent } from '../schemas/gateway/frames.ts';
import { channelAudience, guildAudience } from '../schemas/streams.ts';
import { Session } from './session.ts';
import { Subscriptions } from './subscriptions.ts';

const GUILDS = ['10', '11'];
const CHANNEL = '20';

/** A session that has begun, as far as topics are concerned. */
const aSession = (intents: number): Session =>
  Object.assign(Object.create(Session.prototype) as Session, { intents, topics: [] });

const steps: Record<string, (subscriptions: Subscriptions, session: Session, guildId: string) => void> = {
  join: (subscriptions, session, guildId) => {
    subscriptions.join(session, guildAudience(guildId), guildId);
    subscriptions.join(session, channelAudience(CHANNEL), guildId);
  },
  leave: (subscriptions, session, guildId) => subscriptions.leave(session, guildAudience(guildId)),
  leaveGuild: (subscriptions, session, guildId) => subscriptions.leaveGuild(session, guildId),
  leaveAll: (subscriptions, session) => subscriptions.leaveAll(session),
  end: (subscriptions, _, guildId) => subscriptions.end(guildAudience(guildId)),
};

describe('the sessions of a guild', () => {
  it('with the intent for moderation are known apart, whoever comes and goes', () => {
    const step = fc.tuple(fc.constantFrom(...Object.keys(steps)), fc.nat(3), fc.constantFrom(...GUILDS));
    fc.assert(
      fc.property(fc.array(step), (taken) => {
        const subscriptions = new Subscriptions();
        const sessions = [Intent.guildModeration, Intent.guilds, Intent.guilds | Intent.guildModeration, 0].map(
          aSession,
        );
        for (const [name, n, guildId] of taken) {
          steps[name]!(subscriptions, sessions[n]!, guildId);
          for (const audience of [...GUILDS.map(guildAudience), channelAudience(CHANNEL)]) {
            const topic = subscriptions.topic(audience);
            if (topic === undefined) continue;
            const inGuild = audience === channelAudience(CHANNEL) ? [] : [...topic.sessions];
            const wanting = inGuild.filter(({ intents }) => (intents & Intent.guildModeration) !== 0);
            expect(new Set(subscriptions.moderators(topic))).toEqual(new Set(wanting));
          }
        }
      }),
    );
  });
});
