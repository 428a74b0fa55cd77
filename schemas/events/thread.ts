/** Events of a thread, in its own stream `channel-<id>` beside what is said in it. */
import * as t from 'io-ts';
import { LOGGED, structure } from './channel.ts';
import { auditedInGuild, defineEvent, formerly, itsGuild, NO_INTENTS, nobody, reasoned } from './definition.ts';

/** What can be changed about a thread. */
export const ThreadDetails = t.type({
  name: t.string,
  archived: t.boolean,
  /** Only those who manage threads unarchive it. */
  locked: t.boolean,
  /** Whether every member of a private thread may add others. */
  invitable: t.boolean,
  /** Minutes of silence after which it is archived. */
  autoArchive: t.number,
  /** When it was last archived or unarchived, at first when it was created: milliseconds since 1970. */
  archiveTime: t.number,
});
export type ThreadDetails = t.TypeOf<typeof ThreadDetails>;

export const ThreadMember = t.type({
  userId: t.string,
  /** Milliseconds since 1970. */
  joinedTime: t.number,
  /** Position at which the person joined the guild. Whoever left it and came back is no member of the thread. */
  stay: t.number,
});
export type ThreadMember = t.TypeOf<typeof ThreadMember>;

const InThread = t.type({ channelId: t.string, guildId: t.string, parentId: t.string });

/** The guild is told, of whom only those hear it who may view the thread. A resume asks for the same. */
const ofThread = {
  ...structure,
  audiences: itsGuild,
  indexedFor: itsGuild,
  changesRights: true,
} as const;

/** What the audit log names of a thread. */
const logged = { ...ofThread, changes: LOGGED, takesReason: true } as const;

const Begun = t.intersection([
  InThread,
  t.type({
    isPrivate: t.boolean,
    details: ThreadDetails,
    creator: ThreadMember,
    /** The message of its parent that it begins at, which has the thread's id; null: none. */
    startedAt: t.union([t.type({ author: t.string, ordinal: t.number }), t.null]),
    /** The message that the thread begins with; null: none. */
    firstMessageId: t.union([t.string, t.null]),
  }),
]);

const ThreadCreated = defineEvent({
  ...logged,
  auditedIn: auditedInGuild,
  codec: reasoned(Begun),
  former: [formerly(Begun, (data) => data)],
  followedUp: true,
});

const Edited = t.intersection([
  InThread,
  t.type({
    /** All of them, as they are afterwards. */
    details: ThreadDetails,
    /** Whether it was archived before. */
    wasArchived: t.boolean,
    /** How many messages were ever posted in it. */
    posted: t.number,
  }),
]);

const ThreadEdited = defineEvent({
  ...logged,
  // Not where it is archived because it was quiet, which is a step of a process.
  auditedIn: ({ causationId, data: { guildId, byMessage } }) =>
    causationId !== null || byMessage === true ? undefined : guildId,
  codec: reasoned(
    t.intersection([
      Edited,
      /** Somebody wrote in it, who unarchived it by that. */
      t.partial({ byMessage: t.literal(true) }),
    ]),
  ),
  former: [formerly(Edited, (data) => data)],
});

const ThreadMembersChanged = defineEvent({
  ...ofThread,
  codec: t.intersection([
    InThread,
    t.type({
      isPrivate: t.boolean,
      added: t.array(ThreadMember),
      removed: t.array(t.string),
      /** How many there are afterwards. */
      count: t.number,
    }),
  ]),
  intents: NO_INTENTS,
});

const Ended = t.intersection([InThread, t.type({ isPrivate: t.boolean })]);

/** Nothing follows it in the thread's stream. */
const ThreadDeleted = defineEvent({
  ...logged,
  auditedIn: auditedInGuild,
  codec: reasoned(Ended),
  former: [formerly(Ended, (data) => data)],
});

/** Messages of it were deleted, which the number of its messages leaves out. */
const ThreadShrank = defineEvent({
  ...ofThread,
  codec: t.intersection([
    InThread,
    t.type({
      /** How many were deleted since it was created. */
      deleted: t.number,
    }),
  ]),
  audiences: nobody,
  indexedFor: nobody,
  intents: NO_INTENTS,
  changesRights: false,
});

/** By their stored names. */
export const threadEvents = {
  'thread-created': ThreadCreated,
  'thread-edited': ThreadEdited,
  'thread-members-changed': ThreadMembersChanged,
  'thread-deleted': ThreadDeleted,
  'thread-shrank': ThreadShrank,
} as const;
