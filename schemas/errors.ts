/** The error catalogue: every refusal a client can see, with the code and status of Discord's API where it has one. */

/** The state of a rate limit, as shown to clients. */
export interface LimitShown {
  readonly bucket: string;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window ends. */
  readonly resetAfter: number;
  readonly scope: 'user' | 'global' | 'shared';
}

/** A store cannot answer now. Adapters throw it; the edges answer 503 with `retry_after`. */
export class StoreUnavailable extends Error {
  /** `timelines`, `guild-views`, `unread`, `vault`, `log`. */
  readonly store: string;
  /** Seconds. */
  readonly retryAfter: number;

  constructor(store: string, retryAfter: number, options?: ErrorOptions) {
    super(`${store} cannot be reached now`, options);
    this.store = store;
    this.retryAfter = retryAfter;
  }
}

export const catalogue = {
  general: { code: 0, status: 500, message: 'Internal Server Error' },
  unauthorized: { code: 0, status: 401, message: '401: Unauthorized' },
  notFound: { code: 0, status: 404, message: '404: Not Found' },
  methodNotAllowed: { code: 0, status: 405, message: '405: Method Not Allowed' },
  malformedRequest: { code: 0, status: 400, message: '400: Bad Request' },
  requestTimeout: { code: 0, status: 408, message: 'The request did not arrive in time' },
  payloadTooLarge: { code: 40005, status: 413, message: 'Request entity too large' },
  unsupportedMediaType: { code: 0, status: 415, message: 'Send JSON (content-type: application/json)' },
  expectationFailed: { code: 0, status: 417, message: 'The only expectation that can be met is 100-continue' },
  upgradeRequired: {
    code: 0,
    status: 426,
    message: 'This is the gateway: connect to it with a WebSocket (upgrade: websocket, version 13)',
  },
  headersTooLarge: { code: 0, status: 431, message: 'The headers of a request may take 16 KiB together' },
  rateLimited: { code: 0, status: 429, message: 'You are being rate limited.' },
  tooManyCommands: {
    code: 0,
    status: 429,
    message: 'Too many of your commands are in progress, wait for their answers',
  },
  tooManyLogins: { code: 0, status: 503, message: 'Too many are signing in, try again' },
  tooManyWaiting: { code: 0, status: 503, message: 'Too many commands wait for their turn here, try again' },
  unavailable: { code: 0, status: 503, message: 'Service temporarily unavailable, try again' },
  diskFull: { code: 0, status: 503, message: 'The event log cannot store anything more: its disk is full' },
  refusedByLog: { code: 0, status: 500, message: 'The event log refuses to store this, and would refuse it again' },
  outcomeUnknown: {
    code: 0,
    status: 504,
    message:
      'It is not known whether this was stored. Ask again with the same id, nonce or Idempotency-Key to learn it',
  },
  unknownApplication: { code: 10002, status: 404, message: 'Unknown Application' },
  unknownChannel: { code: 10003, status: 404, message: 'Unknown Channel' },
  unknownGuild: { code: 10004, status: 404, message: 'Unknown Guild' },
  unknownInvite: { code: 10006, status: 404, message: 'Unknown Invite' },
  inviteExpired: { code: 10006, status: 404, message: 'Unknown Invite: it has expired' },
  inviteUsedUp: { code: 10006, status: 404, message: 'Unknown Invite: it is used up' },
  unknownMember: { code: 10007, status: 404, message: 'Unknown Member' },
  unknownOverwrite: { code: 10009, status: 404, message: 'Unknown Permission Overwrite' },
  unknownRole: { code: 10011, status: 404, message: 'Unknown Role' },
  unknownMessage: { code: 10008, status: 404, message: 'Unknown Message' },
  unknownUser: { code: 10013, status: 404, message: 'Unknown User' },
  unknownReport: { code: 0, status: 404, message: 'Unknown Report' },
  ownMessage: { code: 0, status: 400, message: 'You cannot report a message of your own' },
  reportClosed: { code: 0, status: 400, message: 'This report is closed' },
  unknownBan: { code: 10026, status: 404, message: 'Unknown Ban' },
  unknownEmoji: { code: 10014, status: 400, message: 'Unknown Emoji' },
  botsCannot: { code: 20001, status: 403, message: 'Bots cannot use this endpoint' },
  accountDisabled: { code: 20013, status: 403, message: 'This account is disabled' },
  ownsGuilds: {
    code: 40011,
    status: 400,
    message: 'You must transfer ownership of any owned guilds before deleting your account',
  },
  lastAdministrator: { code: 0, status: 400, message: 'The last administrator cannot be removed' },
  onlyAdministrator: { code: 50001, status: 403, message: 'Missing Access' },
  maximumGuilds: { code: 30001, status: 400, message: 'Maximum number of guilds reached' },
  maximumFriends: { code: 30002, status: 400, message: 'Maximum number of friends reached' },
  maximumBlocks: { code: 30002, status: 400, message: 'Maximum number of blocked people reached' },
  maximumInvites: { code: 30016, status: 400, message: 'Maximum number of invites reached' },
  maximumApplications: { code: 0, status: 400, message: 'Maximum number of applications reached' },
  maximumChannelSettings: { code: 0, status: 400, message: 'Maximum number of channels with settings reached (1000)' },
  maximumNotifications: { code: 0, status: 400, message: 'Maximum number of notification settings reached' },
  maximumGroups: { code: 0, status: 400, message: 'Maximum number of group direct messages reached' },
  maximumRecipients: { code: 30004, status: 400, message: 'Maximum number of recipients reached (10)' },
  tooManyPins: { code: 30003, status: 400, message: 'Maximum number of pins reached for the channel (250)' },
  maximumRoles: { code: 30005, status: 400, message: 'Maximum number of guild roles reached (250)' },
  tooManyReactions: { code: 30010, status: 400, message: 'Maximum number of reactions reached (20)' },
  maximumGuildChannels: { code: 30013, status: 400, message: 'Maximum number of guild channels reached (500)' },
  maximumOverwrites: {
    code: 30060,
    status: 400,
    message: 'Maximum number of channel permission overwrites reached (100)',
  },
  maximumThreadMembers: {
    code: 30033,
    status: 400,
    message: 'Maximum number of thread participants has been reached (1000)',
  },
  registrationClosed: { code: 40001, status: 403, message: 'Registration is closed on this server' },
  userBanned: { code: 40007, status: 403, message: 'The user is banned from this guild' },
  keyReused: { code: 40060, status: 409, message: 'This id was already used for something else' },
  slowmode: { code: 20016, status: 429, message: 'This action cannot be performed due to slowmode rate limit' },
  invitesPaused: { code: 40006, status: 403, message: 'Nobody can join this guild for the moment' },
  dmExecute: { code: 50003, status: 403, message: 'Cannot execute action on a DM channel' },
  cannotEditOthers: { code: 50005, status: 403, message: 'Cannot edit a message authored by another user' },
  emptyMessage: { code: 50006, status: 400, message: 'Cannot send an empty message' },
  tooNewToWrite: {
    code: 50009,
    status: 403,
    message: 'Channel verification level is too high for you to gain access',
  },
  noTextChannel: { code: 50008, status: 400, message: 'Cannot send messages in a non-text channel' },
  cannotMessageUser: { code: 50007, status: 403, message: 'Cannot send messages to this user' },
  missingPermissions: { code: 50013, status: 403, message: 'Missing Permissions' },
  systemMessage: { code: 50021, status: 403, message: 'Cannot execute action on a system message' },
  wrongChannelType: { code: 50024, status: 400, message: 'Cannot execute action on this channel type' },
  invalidRole: { code: 50028, status: 400, message: 'Invalid Role' },
  tooOldToBulkDelete: { code: 50034, status: 400, message: 'A message provided was too old to bulk delete' },
  forwardedMessage: { code: 50005, status: 403, message: 'Cannot edit a message that forwards another' },
  invalidForm: { code: 50035, status: 400, message: 'Invalid Form Body' },
  friendRequestsFull: { code: 80000, status: 400, message: 'This person cannot take further friend requests now' },
  friendRequestBlocked: { code: 80001, status: 403, message: 'Friend request blocked' },
  botsHaveNoFriends: { code: 80002, status: 400, message: 'Bots cannot have friends' },
  friendWithSelf: { code: 80003, status: 400, message: 'Cannot send a friend request to yourself' },
  reactionBlocked: { code: 90001, status: 403, message: 'Reaction was blocked' },
  threadArchived: { code: 50083, status: 400, message: 'Thread is archived' },
  replyWithoutHistory: {
    code: 160002,
    status: 403,
    message: 'Cannot reply without permission to read message history',
  },
  threadExists: { code: 160004, status: 400, message: 'A thread has already been created for this message' },
  threadLocked: { code: 160005, status: 400, message: 'Thread is locked' },
  maximumThreads: { code: 160006, status: 400, message: 'Maximum number of active threads reached' },
  bansFailed: { code: 500000, status: 400, message: 'Failed to ban users' },
  ownerCannotLeave: { code: 50055, status: 400, message: 'The owner of a guild cannot leave it' },
} as const;

export type ErrorName = keyof typeof catalogue;

/** `{content: {_errors: [{code, message}]}}`, nested like the body it describes. */
export interface FieldErrors {
  [field: string]: FieldErrors | { code: string; message: string }[];
}

/** A refusal as a value. `retryAfter` is in seconds. */
export interface ParleyError {
  readonly name: ErrorName;
  readonly code: number;
  readonly status: number;
  readonly message: string;
  readonly errors?: FieldErrors;
  readonly retryAfter?: number;
  /** For a 429: true when the limit covers everything a user does. */
  readonly global?: boolean;
  /** For a 429: the exhausted limit. */
  readonly limit?: LimitShown;
}

export const parleyError = (
  name: ErrorName,
  more: Partial<Pick<ParleyError, 'errors' | 'retryAfter' | 'message' | 'global' | 'limit'>> = {},
): ParleyError => ({ name, ...catalogue[name], ...more });

/** An `invalidForm` error about one field; `path` leads into nested bodies. */
export const fieldError = (path: readonly (string | number)[], code: string, message: string): ParleyError => {
  const leaf: FieldErrors = { _errors: [{ code, message }] };
  const errors = path.reduceRight<FieldErrors>((inner, key) => ({ [String(key)]: inner }), leaf);
  return parleyError('invalidForm', { errors });
};

/** The body of an HTTP error answer and the `error` of an op 101. */
export const errorBody = (e: ParleyError) =>
  e.status === 429
    ? { message: e.message, code: e.code, retry_after: e.retryAfter ?? 1, global: e.global ?? false }
    : {
        message: e.message,
        code: e.code,
        ...(e.errors === undefined ? {} : { errors: e.errors }),
        ...(e.retryAfter === undefined ? {} : { retry_after: e.retryAfter }),
      };
