/** For specs of the domain: streams told as given, when, then. */

import { either } from 'fp-ts';
import { type DecidedEvent, type ParleyEvent, versionOf } from '../schemas/events/catalogue.ts';
import {
  type ChannelActor,
  type ChannelState,
  channelFold,
  createChannel,
  evolveMessage,
  type MessageState,
  type Post,
} from './channel.ts';
import type { Decision, Fold, StreamState } from './decider.ts';
import { DEFAULT_EVERYONE } from './permissions.ts';

/** Milliseconds since 1970 of the events of a spec, unless it says otherwise. */
export const NOW = 1_700_000_000_000;

export const OWNER = '1';
export const ANN = '2';
export const BEN = '3';
export const STRANGER = '4';
export const GUILD = '100';
export const CHANNEL = '200';

export const guild = { id: GUILD, ownerId: OWNER, everyone: DEFAULT_EVERYONE.toString() };

/** Somebody in the guild. */
export const member = (userId: string): ChannelActor => ({ userId, guild, isMember: true });

/** What was decided; a refusal is an error of the spec. */
export const events = (decision: Decision): readonly DecidedEvent[] => {
  if (either.isLeft(decision)) throw new Error(`refused: ${decision.left.name}`);
  return decision.right;
};

export const types = (decision: Decision): string[] => events(decision).map(({ type }) => type);

/** The only event that was decided. */
export const only = (decision: Decision): DecidedEvent => {
  const [first, ...more] = events(decision);
  if (first === undefined || more.length > 0) throw new Error('expected one event');
  return first;
};

/** Name of the refusal, or `undefined` when the command was accepted. */
export const refusal = (decision: Decision): string | undefined =>
  either.isLeft(decision) ? decision.left.name : undefined;

/** One stream of an aggregate, with the state after everything that happened in it. */
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

  /** The decided events happen. */
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

  /** A command that was accepted, under its key. */
  given(decide: (state: State) => Decision, key: string | null = null, time?: number): this {
    return this.record(events(decide(this.state)), key, time);
  }

  /** Id of the last message. */
  get headId(): string {
    const posted = this.happened.findLast((event) => event.type === 'message-posted');
    if (posted === undefined) throw new Error('nothing was said yet');
    return posted.data.messageId;
  }

  /** The facts of a message as a timeline and the stream tell them. */
  message(messageId: string, userId?: string, emoji?: string): MessageState | undefined {
    const about = { messageId, ...(userId === undefined ? {} : { userId }), ...(emoji === undefined ? {} : { emoji }) };
    let message: MessageState | undefined;
    for (const event of this.happened) message = evolveMessage(message, event, about);
    return message;
  }
}

/** A text channel of the guild in which nothing was said yet. */
export const aChannel = (more: { overwrites?: NonNullable<ChannelState['settings']>['overwrites'] } = {}) =>
  new History(channelFold, `channel-${CHANNEL}`).given(
    (state) =>
      createChannel(
        {
          key: 'created',
          channel: {
            ...{ channelId: CHANNEL, kind: 'text', guildId: GUILD, name: 'general', topic: null },
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
          ...{ channelId: CHANNEL, kind: 'dm', guildId: null, name: null, topic: null },
          ...{ overwrites: [], participants },
        },
      },
      state,
    ),
  );

export const said = (content: string) => ({ content, embeds: [] });

/** A message of Ann's, unless told otherwise. */
export const aPost = (key: string, more: Partial<Post> = {}): Post => ({
  ...member(ANN),
  key,
  now: NOW,
  low: 1n,
  body: said('hello'),
  allowed: { everyone: true, users: true },
  knownUsers: new Set([OWNER, ANN, BEN]),
  reply: undefined,
  flags: 0,
  nonce: null,
  ...more,
});
