/**
 * Everything that is known of an event's type, as one value that stands with the codec of its data. All fields must be
 * given. The catalogue joins the definitions and derives every list of types from them.
 */
import type * as t from 'io-ts';
import type { Recorded, Sealed } from '../envelope.ts';
import type { Audience } from '../streams.ts';

/**
 * How the feed of a cluster carries an event. `structure`: to every gateway. `channel`: to those with a session that sees
 * the channel whose stream it stands in. `person`: to those with a session of the person whose stream it stands in.
 */
export type Feed = 'structure' | 'channel' | 'person';

/** Reads data of a former version as the newest form; `undefined` when it does not fit. */
export type FormerForm<Data> = (data: unknown) => Data | undefined;

export interface EventDefinition<Data, Changes extends string, F extends Feed, FollowedUp extends boolean> {
  /** The newest form of the data. */
  readonly codec: t.Type<Data, unknown, unknown>;
  /** Earlier forms, oldest first: the n-th is version n, and the newest form is the version after the last of them. */
  readonly former: readonly FormerForm<NoInfer<Data>>[];
  /** Who is told, when it happens and on resume. */
  readonly audiences: (event: Recorded<string, NoInfer<Data>>) => readonly Audience[];
  /**
   * The guilds and users under which the audience index files it, for a session that resumes. A channel's own stream is
   * its index, so what stands there is filed for nobody.
   */
  readonly indexedFor: (event: Recorded<string, NoInfer<Data>>) => readonly Audience[];
  readonly feed: F;
  /** Intents a session needs for at least one dispatch of the event, in a guild and outside any. */
  readonly intents: { readonly guild: number; readonly direct: number };
  /** It changes who may see what: a batch of events ends with it. */
  readonly changesRights: boolean;
  /** A GUILD_CREATE shows what has become of it, so a session that is sent the guild anew is not told of it besides. */
  readonly inGuildCreate: boolean;
  /**
   * Names of the views that it changes rows of; each has a table of handlers that must name the type. The audience index
   * follows from `indexedFor`, snapshots from the folds.
   */
  readonly changes: readonly Changes[];
  /** Something must follow in other streams: a process sees to it. */
  readonly followedUp: FollowedUp;
  /** As frequent as messages are: the log in PostgreSQL leaves it out of its index of types. */
  readonly frequent: boolean;
  /** Codec of what its sealed text opens to; null where it seals nothing. */
  readonly seals: NoInfer<Data> extends { readonly sealed: Sealed } ? t.Mixed : null;
}

/** Checks a definition; its type keeps what the lists of types are derived from. */
export const defineEvent = <Data, Changes extends string, F extends Feed, FollowedUp extends boolean>(
  definition: EventDefinition<Data, Changes, F, FollowedUp>,
): EventDefinition<Data, Changes, F, FollowedUp> => definition;

/** A former form by its codec and the way from there to the newest form. */
export const formerly =
  <Old, Data>(codec: t.Type<Old, unknown, unknown>, upcast: (data: Old) => Data): FormerForm<Data> =>
  (data) =>
    codec.is(data) ? upcast(data) : undefined;

const NOBODY: readonly Audience[] = [];

/** Clients are never told; or no index files it. */
export const nobody = (): readonly Audience[] => NOBODY;

export const NO_INTENTS = { guild: 0, direct: 0 } as const;
