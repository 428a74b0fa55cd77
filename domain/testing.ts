/** For specs of the domain: streams in the style of given, when, then. */

import { either } from 'fp-ts';
import { type DecidedEvent, type ParleyEvent, versionOf } from '../schemas/events/catalogue.ts';
import { type ChannelKind, type Overwrite, PLAIN } from '../schemas/events/channel.ts';
import {
  type ChannelActor,
  channelFold,
  createChannel,
  type Edit,
  evolveMessage,
  type MessageState,
  type Post,
} from './channel.ts';
import type { Decision, Fold, StreamState } from './decider.ts';
import { DEFAULT_EVERYONE } from './permissions.ts';

/** Default time of events in specs, in milliseconds since 1970. */
export const NOW = 1_700_000_000_000;

export const OWNER = '1';
export const ANN = '2';
export const BEN = '3';
export const STRANGER = '4';
export const GUILD = '100';
export const CHANNEL = '200';

export const guild = { id: GUILD, ownerId: OWNER, everyone: DEFAULT_EVERYONE.toString(), roles: [] };

/** A member of the guild. */
export const member = (userId: string): ChannelActor => ({
  userId,
  guild,
  member: { userId, roles: [] },
});

/** The decided events; throws on a refusal. */
export const events = (decision: Decision): readonly DecidedEvent[] => {
  if (either.isLeft(decision)) throw new Error(`refused: ${decision.left.name}`);
  return decision.right;
};

export const types = (decision: Decision): string[] => events(decision).map(({ type }) => type);

/** The only decided event. */
export const only = (decision: Decision): DecidedEvent => {
  const [first, ...more] = events(decision);
  if (first === undefined || more.length > 0) throw new Error('expected one event');
  return first;
};

/** Name of the refusal, or `undefined` if the command was accepted. */
export const refusal = (decision: Decision): string | undefined =>
  either.isLeft(decision) ? decision.left.name : undefined;

/** What a refusal says of the fields. */
export const errorsOf = (decision: Decision) => (either.isLeft(decision) ? decision.left.errors : undefined);

/** One stream of an aggregate, with its events and current state. */
export class History<State extends StreamState> {
  readonly fold: Fold<State>;
  readonly stream: string;
  readonly happened: ParleyEvent[] = [];
  state: State;

  constructor(fold: Fold<State>, stream: string) {
    this.fold = fold;
    this.stream = stream;
    this.state = fold.initial();
  }

  /** Records decided events. */
  record(decided: readonly DecidedEvent[], key: string | null = null, time: number = NOW): this {
    for (const { type, data, time: own } of decided) {
      const sequence = this.state.sequence + 1;
      const event = {
        ...{
          id: `${this.stream}/${sequence}`,
          type,
          schema: versionOf(type),
          stream: this.stream,
          sequence,
          position: sequence,
        },
        ...{ time: own ?? time, actor: OWNER, key, correlationId: 'c', causationId: null, traceparent: null },
        data,
      } as unknown as ParleyEvent;
      this.happened.push(event);
      this.state = this.fold.evolve(this.state, event);
    }
    return this;
  }

  /** Runs a command that must be accepted, under its key. */
  given(decide: (state: State) => Decision, key: string | null = null, time?: number): this {
    return this.record(events(decide(this.state)), key, time);
  }

  /** Id of the last message. */
  get headId(): string {
    const posted = this.happened.findLast((event) => event.type === 'message-posted');
    if (posted === undefined) throw new Error('nothing was said yet');
    return posted.data.messageId;
  }

  /** The facts of a message according to timeline and stream. */
  message(messageId: string, userId?: string, emoji?: string): MessageState | undefined {
    const about = { messageId, ...(userId === undefined ? {} : { userId }), ...(emoji === undefined ? {} : { emoji }) };
    let message: MessageState | undefined;
    for (const event of this.happened) message = evolveMessage(message, event, about);
    return message;
  }
}

/** An empty text channel of the guild, unless anything else is said. */
export const aChannel = (more: { overwrites?: readonly Overwrite[]; kind?: ChannelKind; guildId?: string } = {}) =>
  new History(channelFold, `channel-${CHANNEL}`).given(
    (state) =>
      createChannel(
        {
          key: 'created',
          channel: {
            ...{ channelId: CHANNEL, name: 'general', topic: null, ...PLAIN },
            ...{ kind: more.kind ?? 'text', guildId: more.guildId ?? GUILD },
            overwrites: [...(more.overwrites ?? [])],
            participants: [],
          },
        },
        state,
      ),
    'created',
  );

/** The direct channel of two people. */
export const aDirectChannel = (...participants: string[]) =>
  new History(channelFold, `channel-${CHANNEL}`).given((state) =>
    createChannel(
      {
        key: 'created',
        channel: {
          ...{ channelId: CHANNEL, kind: 'dm', guildId: null, name: null, topic: null, ...PLAIN },
          ...{ overwrites: [], participants },
        },
      },
      state,
    ),
  );

export const said = (content: string) => ({ content, embeds: [] });

/** An edit by Ann that changes nothing, by default. */
export const anEdit = (key: string, message: MessageState | undefined, more: Partial<Edit> = {}): Edit => ({
  ...member(ANN),
  ...{ key, message, patch: {}, former: said('hello') },
  ...{ allowed: { everyone: true, users: true, roles: true }, knownUsers: new Set([OWNER, ANN, BEN]) },
  ...{ repliedTo: undefined, tells: undefined },
  ...more,
});

/** A message by Ann, by default. */
export const aPost = (key: string, more: Partial<Post> = {}): Post => ({
  ...member(ANN),
  key,
  now: NOW,
  low: 1n,
  body: said('hello'),
  allowed: { everyone: true, users: true, roles: true },
  knownUsers: new Set([OWNER, ANN, BEN]),
  reply: undefined,
  flags: 0,
  nonce: null,
  ...more,
});
