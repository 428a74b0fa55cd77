/** Frames of the gateway: opcodes, and the form of what clients send. */
import * as t from 'io-ts';
import { integer, optional } from '../primitives.ts';

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

/** Opcodes up to this one are the libraries'; Parley's own come after. */
export const LAST_LIBRARY_OP = 43;
/** Longest frame with a library's opcode, in bytes. */
export const LIBRARY_FRAME_BYTES = 4096;
/** Longest frame of any kind, in bytes. */
export const FRAME_BYTES = 16_384;

/** Why the server closes a socket. Libraries resume after 4000, 4001, 4002, 4009 and 1012, start anew after 4003, 4005, 4007 and 4008, and stop after 4004 and 4010-4014. */
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
  t.partial({ since: optional(t.number), activities: optional(t.array(t.UnknownRecord)), afk: optional(t.boolean) }),
]);

export const Identify = t.intersection([
  t.type({ token: t.string }),
  t.partial({
    properties: optional(t.UnknownRecord),
    intents: optional(t.number),
    compress: optional(t.boolean),
    large_threshold: optional(integer(50, 250)),
    shard: optional(t.tuple([t.number, t.number])),
    presence: optional(t.UnknownRecord),
  }),
]);
export type Identify = t.TypeOf<typeof Identify>;

/** `seq` is looked at by itself: what is no sequence has a close code of its own. */
export const Resume = t.type({ token: t.string, session_id: t.string, seq: t.unknown });
export type Resume = t.TypeOf<typeof Resume>;
