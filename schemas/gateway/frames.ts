/** Frames of the gateway: opcodes, and the form of what clients send. */
import * as t from 'io-ts';
import { integer, list, optional, Snowflake, text } from '../codecs.ts';

/** Intents: the kinds of dispatches a session asks for. Bit numbers are Discord's. */
export const Intent = {
  none: 0,
  guilds: 1 << 0,
  guildMembers: 1 << 1,
  guildModeration: 1 << 2,
  guildInvites: 1 << 6,
  guildPresences: 1 << 8,
  guildMessages: 1 << 9,
  guildReactions: 1 << 10,
  guildTyping: 1 << 11,
  directMessages: 1 << 12,
  directReactions: 1 << 13,
  directTyping: 1 << 14,
  messageContent: 1 << 15,
} as const;

/** Whether a session has one of the intents asked for. A dispatch that asks for none is for every session. */
export const hasAny = (intents: number, asked: number): boolean => asked === 0 || (intents & asked) !== 0;

/** Every bit Discord defines: 0 to 16, automatic moderation (20, 21) and polls (24, 25). */
const DEFINED = 0x1ffff | (0b11 << 20) | (0b11 << 24);

/** Default for a person's client: everything but member lists and presences. */
export const DEFAULT_INTENTS = DEFINED & ~(Intent.guildMembers | Intent.guildPresences);

export const validIntents = (intents: number): boolean =>
  Number.isInteger(intents) && intents >= 0 && intents < 2 ** 31 && (intents & ~DEFINED) === 0;

export const Op = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  presenceUpdate: 3,
  voiceStateUpdate: 4,
  resume: 6,
  reconnect: 7,
  requestGuildMembers: 8,
  invalidSession: 9,
  hello: 10,
  heartbeatAck: 11,
  guildSubscriptions: 14,
  guildSubscriptionsBulk: 37,
  command: 100,
  commandResult: 101,
  focus: 102,
  delivered: 103,
} as const;

/** Opcodes up to this one belong to the libraries; Parley's own come after it. */
export const LAST_LIBRARY_OP = 43;
/** Longest frame with a library's opcode, in bytes. */
export const LIBRARY_FRAME_BYTES = 4096;
/** Longest frame of any kind, in bytes. Every command fits, also one that escapes each character beyond ASCII. */
export const FRAME_BYTES = 196_608;

/**
 * Why the server closes a socket. Libraries resume after 4000, 4001, 4002, 4009 and 1012, identify again after 4003,
 * 4005, 4007 and 4008, and stop after 4004 and 4010-4014.
 */
export const CloseCode = {
  serviceRestart: 1012,
  unknownError: 4000,
  unknownOpcode: 4001,
  decodeError: 4002,
  notAuthenticated: 4003,
  authenticationFailed: 4004,
  alreadyAuthenticated: 4005,
  invalidSequence: 4007,
  rateLimited: 4008,
  sessionTimedOut: 4009,
  invalidShard: 4010,
  invalidVersion: 4012,
  invalidIntents: 4013,
} as const;

/** The last `s` the client has seen. */
export const Heartbeat = t.union([t.null, t.undefined, integer(0, Number.MAX_SAFE_INTEGER)]);

export const PresenceUpdate = t.intersection([
  t.type({
    status: t.union([
      t.literal('online'),
      t.literal('idle'),
      t.literal('dnd'),
      t.literal('invisible'),
      t.literal('offline'),
    ]),
  }),
  // Libraries put anything into `since`, `null` into the list and, the older ones, `game` beside it.
  t.partial({ activities: optional(t.array(optional(t.UnknownRecord))), game: optional(t.UnknownRecord) }),
]);

export const Identify = t.intersection([
  t.type({ token: t.string }),
  t.partial({
    properties: optional(t.UnknownRecord),
    intents: optional(t.number),
    large_threshold: optional(integer(50, 250)),
    shard: optional(t.tuple([t.number, t.number])),
  }),
]);
export type Identify = t.TypeOf<typeof Identify>;

/**
 * Libraries send a guild in a list too, and a user without one. How many there may be is bounded by the frame's length.
 * Any `nonce` is taken, and repeated if it is short.
 */
export const RequestGuildMembers = t.intersection([
  t.type({ guild_id: t.union([Snowflake, list(Snowflake, LIBRARY_FRAME_BYTES, undefined, 1)]) }),
  t.partial({
    query: optional(t.string),
    limit: optional(integer(0, Number.MAX_SAFE_INTEGER)),
    user_ids: optional(t.union([Snowflake, list(Snowflake, LIBRARY_FRAME_BYTES)])),
    presences: optional(t.boolean),
    nonce: t.unknown,
  }),
]);
export type RequestGuildMembers = t.TypeOf<typeof RequestGuildMembers>;

/** `seq` is checked separately: an invalid sequence has its own close code. */
export const Resume = t.type({ token: t.string, session_id: t.string, seq: t.unknown });
export type Resume = t.TypeOf<typeof Resume>;

/** The `d` of an op 100. Its other fields are those of the command. */
export const GivenCommand = t.intersection([t.type({ id: text(1, 64, 'id') }), t.UnknownRecord]);
export type GivenCommand = t.TypeOf<typeof GivenCommand>;
