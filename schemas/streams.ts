/** Names of streams and audiences. */

const PREFIX = 'channel-';

/** Id of the channel a stream belongs to; `undefined` for streams of other kinds. */
export const channelIdOf = (stream: string): string | undefined =>
  stream.startsWith(PREFIX) ? stream.slice(PREFIX.length) : undefined;

export const channelStream = (channelId: string) => `channel-${channelId}`;
export const guildStream = (guildId: string) => `guild-${guildId}`;
export const memberStream = (guildId: string, userId: string) => `member-${guildId}_${userId}`;
export const inviteStream = (code: string) => `invite-${code}`;
export const userStream = (userId: string) => `user-${userId}`;
/** @param hash HMAC of an idempotency key, in hexadecimal digits */
export const creationStream = (hash: string) => `creation-${hash}`;
/** Who administers the installation. */
export const ADMINISTRATORS_STREAM = 'instance-administrators';
/** How a person is notified. */
export const settingsStream = (userId: string) => `settings-${userId}`;
export const readStream = (userId: string) => `read-${userId}`;

/** The same for both people, in either order. */
const pairOf = (a: string, b: string) => (BigInt(a) < BigInt(b) ? `${a}_${b}` : `${b}_${a}`);
export const directStream = (a: string, b: string) => `dm-${pairOf(a, b)}`;
export const relationshipStream = (a: string, b: string) => `relationship-${pairOf(a, b)}`;
/** What one person reports about one message. */
export const reportStream = (channelId: string, messageId: string, reporter: string) =>
  `report-${channelId}_${messageId}_${reporter}`;

const KINDS = [
  'channel-',
  'guild-',
  'member-',
  'invite-',
  'user-',
  'read-',
  'settings-',
  'dm-',
  'relationship-',
  'report-',
  'creation-',
  'instance-',
] as const;
const NAME = new RegExp(`^(?:${KINDS.join('|')})`);

/** Whether a stream is of one of the kinds above. A shared store may hold streams of other programs. */
export const isStreamName = (name: string): boolean => NAME.test(name);

/** Whether names of streams can begin with this. */
export const beginsStreamNames = (prefix: string): boolean =>
  isStreamName(prefix) || KINDS.some((kind) => kind.startsWith(prefix));

/** For people who name one. */
export const STREAM_NAMES =
  'channel-<id>, guild-<id>, member-<guild id>_<user id>, invite-<code>, user-<id>, read-<user id>, settings-<user id>, dm-<user id>_<user id>, relationship-<user id>_<user id>, report-<channel id>_<message id>_<user id>, creation-<hash> or instance-administrators';

/** Who an event is for: `channel:<id>`, `guild:<id>` or `user:<id>`. */
export type Audience = `channel:${string}` | `guild:${string}` | `user:${string}`;
export const channelAudience = (id: string): Audience => `channel:${id}`;
export const guildAudience = (id: string): Audience => `guild:${id}`;
export const userAudience = (id: string): Audience => `user:${id}`;
