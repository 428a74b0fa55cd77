/** Which sessions receive what: one topic for each audience with a session here. */
import { Intent } from '../schemas/gateway/frames.ts';
import { type Audience, guildAudience } from '../schemas/streams.ts';
import type { Feed } from './ports.ts';
import { type Session, Topic } from './session.ts';

const NOBODY: ReadonlySet<Session> = new Set();

export class Subscriptions {
  private readonly topics = new Map<Audience, Topic>();
  /** Of each guild's topic the sessions with the intent for moderation: few of many, and asked for with every audited act. */
  private readonly moderating = new Map<Topic, Set<Session>>();
  private readonly feed: Pick<Feed, 'listen' | 'leave'> | undefined;

  constructor(feed?: Pick<Feed, 'listen' | 'leave'>) {
    this.feed = feed;
  }

  /** `undefined` means that no session is subscribed. */
  topic(audience: Audience): Topic | undefined {
    return this.topics.get(audience);
  }

  /** @param guildId of a guild's or its channels' audience; `null` for people and direct channels. */
  join(session: Session, audience: Audience, guildId: string | null): void {
    let topic = this.topics.get(audience);
    if (topic === undefined) {
      topic = new Topic(audience, guildId);
      this.topics.set(audience, topic);
      // The caller already listens to the audience. This call keeps that up for as long as the topic exists.
      void this.feed?.listen([audience]);
    }
    session.hears(topic);
    if (guildId !== null && audience === guildAudience(guildId) && (session.intents & Intent.guildModeration) !== 0)
      this.moderatingIn(topic).add(session);
  }

  /** Those of the sessions of a guild's topic that have the intent for moderation. */
  moderators(topic: Topic): ReadonlySet<Session> {
    return this.moderating.get(topic) ?? NOBODY;
  }

  leave(session: Session, audience: Audience): void {
    const topic = this.topics.get(audience);
    if (topic === undefined || !topic.sessions.has(session)) return;
    this.remove(topic, session);
    session.topics = session.topics.filter((one) => one !== topic);
  }

  leaveGuild(session: Session, guildId: string): void {
    const stay: Topic[] = [];
    for (const topic of session.topics) {
      if (topic.guildId === guildId) this.remove(topic, session);
      else stay.push(topic);
    }
    session.topics = stay;
    session.hasRoles(guildId, []);
    session.isTimedOut(guildId, null);
  }

  /** Nobody hears the audience from now on. */
  end(audience: Audience): void {
    const topic = this.topics.get(audience);
    if (topic === undefined) return;
    for (const session of [...topic.sessions]) {
      session.topics = session.topics.filter((one) => one !== topic);
      this.remove(topic, session);
    }
  }

  leaveAll(session: Session): void {
    for (const topic of session.topics) this.remove(topic, session);
    session.forgetTopics();
  }

  private moderatingIn(topic: Topic): Set<Session> {
    let moderators = this.moderating.get(topic);
    if (moderators === undefined) {
      moderators = new Set();
      this.moderating.set(topic, moderators);
    }
    return moderators;
  }

  private remove(topic: Topic, session: Session): void {
    topic.sessions.delete(session);
    const moderators = this.moderating.get(topic);
    if (moderators?.delete(session) === true && moderators.size === 0) this.moderating.delete(topic);
    // Remove only the topic that is still in the map: a newer one for the same audience may have replaced it.
    if (topic.sessions.size > 0 || this.topics.get(topic.audience) !== topic) return;
    this.topics.delete(topic.audience);
    this.feed?.leave([topic.audience]);
  }
}
