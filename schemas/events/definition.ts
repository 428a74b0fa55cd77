/**
 * The definition of an event type: one value, beside the codec of its data. All fields are required. The catalogue
 * joins the definitions and derives every list of types from them.
 */
import * as t from 'io-ts';
import { type Recorded, Sealed } from '../envelope.ts';
import { type Audience, guildAudience } from '../streams.ts';

/**
 * How the feed of a cluster carries an event. `structure`: to every gateway. `channel`: to those with a session that sees
 * the channel whose stream holds it. `person`: to those with a session of the person whose stream holds it.
 */
export type Feed = 'structure' | 'channel' | 'person';

/** Converts data of an older version to the newest form; `undefined` when it does not fit. */
export type FormerForm<Data> = (data: unknown) => Data | undefined;

/**
 * Whether it changes who may see what, so that a batch of events ends with it. `channels`: members of its guild may gain or
 * lose channels by it.
 */
export type ChangesRights = boolean | 'channels';

export interface EventDefinition<
  Data,
  Changes extends string,
  F extends Feed,
  FollowedUp extends boolean,
  Rights extends ChangesRights,
> {
  /** The newest form of the data. */
  readonly codec: t.Type<Data, unknown, unknown>;
  /** Earlier forms, oldest first: the n-th is version n, and the newest form is the version after the last of them. */
  readonly former: readonly FormerForm<NoInfer<Data>>[];
  /** Who receives it, live and on resume. */
  readonly audiences: (event: Recorded<string, NoInfer<Data>>) => readonly Audience[];
  /**
   * The guilds and users under which the audience index files it, for resumes. The stream of a channel is its own
   * index, so its events are filed under nobody.
   */
  readonly indexedFor: (event: Recorded<string, NoInfer<Data>>) => readonly Audience[];
  readonly feed: F;
  /** Intents a session needs for at least one dispatch of the event, in a guild and outside any. */
  readonly intents: { readonly guild: number; readonly direct: number };
  readonly changesRights: Rights;
  /**
   * Its dispatches show nothing that its own event changes in the views, so they may leave before the views hold it.
   * `withoutReply`: only where it replies to nothing, which would be read.
   */
  readonly standsAlone: boolean | 'withoutReply';
  /** GUILD_CREATE already shows its effect, so a session that is sent the whole guild is not sent the event. */
  readonly inGuildCreate: boolean;
  /**
   * Views whose rows it changes; each has a table of handlers that must name the type. The audience index follows from
   * `indexedFor`, snapshots from the folds.
   */
  readonly changes: readonly Changes[];
  /** A process must follow it up in other streams. */
  readonly followedUp: FollowedUp;
  /** As frequent as messages, so the log in PostgreSQL leaves it out of its index of types. */
  readonly frequent: boolean;
  /**
   * The guild whose audit log names it; `undefined`: none. Whoever may read that log is told of it beyond its audiences, finds it
   * beyond what it is indexed for, and so every gateway receives it.
   */
  readonly auditedIn: (event: Recorded<string, NoInfer<Data>>) => string | undefined;
  /** Whether whoever causes it may say why: its codec is `reasoned`. */
  readonly takesReason: 'reason' extends keyof NoInfer<Data> ? true : false;
  /** Codec of its opened secret; null when it has none. */
  readonly seals: NoInfer<Data> extends { readonly sealed: Sealed } ? t.Mixed : null;
}

/** Checks a definition and keeps its exact type, from which the lists of types are derived. */
export const defineEvent = <
  Data,
  Changes extends string,
  F extends Feed,
  FollowedUp extends boolean,
  Rights extends ChangesRights,
>(
  definition: EventDefinition<Data, Changes, F, FollowedUp, Rights>,
): EventDefinition<Data, Changes, F, FollowedUp, Rights> => definition;

/** An older form: its codec and the conversion to the newest form. */
export const formerly =
  <Old, Data>(codec: t.Type<Old, unknown, unknown>, upcast: (data: Old) => Data): FormerForm<Data> =>
  (data) =>
    codec.is(data) ? upcast(data) : undefined;

/** Opens to a string as JSON. */
const Reasoned = t.partial({ reason: t.type({ sealed: Sealed }) });

/**
 * For acts that the audit log names: with the reason that their actor gave, if any, sealed under the actor's key. It is put
 * there as the event is made; decisions do not see it.
 */
export const reasoned = <C extends t.Mixed>(codec: C) => t.intersection([codec, Reasoned]);

/** For events whose data names a guild. */
export const itsGuild = ({ data }: { readonly data: { readonly guildId: string } }): readonly Audience[] => [
  guildAudience(data.guildId),
];

const NOBODY: readonly Audience[] = [];

/** For events that reach no client, or that no index files. */
export const nobody = (): readonly Audience[] => NOBODY;

/** For events that no audit log names. */
export const unaudited = (): undefined => undefined;

/** For what people do in a guild. */
export const auditedInGuild = ({ data }: { readonly data: { readonly guildId: string } }): string => data.guildId;

export const NO_INTENTS = { guild: 0, direct: 0 } as const;
