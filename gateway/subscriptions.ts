/** Which sessions receive what: one topic for each audience with a session here. */
import type { Audience } from '../schemas/streams.ts';
import type { Feed } from './ports.ts';
import { type Session, Topic } from './session.ts';

export class Subscriptions {
  private readonly topics = new Map<Audience, Topic>();
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

  private remove(topic: Topic, session: Session): void {
    topic.sessions.delete(session);
    // Remove only the topic that is still in the map: a newer one for the same audience may have replaced it.
    if (topic.sessions.size > 0 || this.topics.get(topic.audience) !== topic) return;
    this.topics.delete(topic.audience);
    this.feed?.leave([topic.audience]);
  }
}
