/** The HTTP API, typed as far as a client without a library needs it. */
import type {
  AuditLog,
  Ban,
  Channel,
  Guild,
  GuildSettings,
  GuildSettingsChange,
  Invite,
  Member,
  MemberChange,
  Message,
  ProfileChange,
  ReadState,
  Relationship,
  Report,
  ReportKind,
  Role,
  RoleSettings,
  SignInShown,
  ThreadChange,
  ThreadMember,
  ThreadPage,
  User,
} from './shapes.ts';

export class RestError extends Error {
  readonly status: number;
  readonly code: number;
  readonly errors: unknown;
  /** Seconds, for a 429 or 503. */
  readonly retryAfter: number | undefined;

  constructor(status: number, body: { code?: number; message?: string; errors?: unknown; retry_after?: number }) {
    super(`${status} ${body.code ?? 0}: ${body.message ?? ''}`);
    this.status = status;
    this.code = body.code ?? 0;
    this.errors = body.errors;
    this.retryAfter = body.retry_after;
  }
}

/** A token that takes another's place. */
export interface Renewed {
  readonly token: string;
  readonly expires_at: string;
}

export interface SignedIn {
  readonly token: string;
  /** When the token expires (ISO 8601), unless it is refreshed before. */
  readonly expires_at: string;
  readonly gateway_url: string;
  readonly user: User;
}

export interface HistoryQuery {
  readonly around?: string;
  readonly before?: string;
  readonly after?: string;
  readonly before_sequence?: number;
  readonly after_sequence?: number;
  readonly limit?: number;
}

export interface ReportPage {
  readonly state?: 'open' | 'answered' | 'closed';
  /** The id that the page ends ahead of. */
  readonly before?: string;
  /** The id that the page begins behind: it then has the oldest first. */
  readonly after?: string;
  readonly limit?: number;
}

const bodyOf = async (answer: Response): Promise<unknown> => {
  const text = await answer.text();
  if (text === '') return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};

const query = (values: object): string => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) search.set(name, String(value));
  return search.size === 0 ? '' : `?${search}`;
};

export class Rest {
  private readonly base: string;
  private readonly authorization: string | undefined;

  /**
   * @param url the server: `http://127.0.0.1:7480`
   * @param token a person's token, or `Bot <token>`
   */
  constructor(url: string, token?: string) {
    this.base = `${url.replace(/\/+$/, '')}/v1`;
    this.authorization = token === undefined || /^(Bot|Bearer) /i.test(token) ? token : `Bearer ${token}`;
  }

  /**
   * Calls any route.
   * @param idempotencyKey of a POST: repeated under the same key within ten minutes, it is carried out once. Without one,
   * a repeat is a new request
   * @param reason why, for the audit log: 512 characters at most
   * @throws RestError for every response that is not a success
   */
  async request<T>(method: string, path: string, body?: unknown, idempotencyKey?: string, reason?: string): Promise<T> {
    const answer = await fetch(this.base + path, {
      method,
      headers: {
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        ...(reason === undefined ? {} : { 'x-audit-log-reason': encodeURIComponent(reason) }),
        ...(this.authorization === undefined ? {} : { authorization: this.authorization }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const content = await bodyOf(answer);
    if (!answer.ok) throw new RestError(answer.status, content !== null && typeof content === 'object' ? content : {});
    return content as T;
  }

  /** A client for the same server as another user. */
  as(token: string): Rest {
    return new Rest(this.base.slice(0, -'/v1'.length), token);
  }

  register(username: string, password: string): Promise<SignedIn> {
    return this.request('POST', '/auth/register', { username, password });
  }

  login(username: string, password: string): Promise<SignedIn> {
    return this.request('POST', '/login', { username, password });
  }

  /** A new token of the same sign-in. Sessions continue with it: `session.useToken(token)`. */
  refresh(): Promise<Renewed> {
    return this.request('POST', '/auth/refresh');
  }

  /** Ends this token and those it was refreshed to. @param everywhere all of this person's */
  logout(everywhere = false): Promise<null> {
    return this.request('POST', everywhere ? '/auth/logout/everywhere' : '/auth/logout');
  }

  /** Ends all other tokens of this person. */
  changePassword(password: string, newPassword: string): Promise<Renewed> {
    return this.request('POST', '/auth/password', { password, new_password: newPassword });
  }

  /** Where this person is signed in. */
  sessions(): Promise<{ readonly user_sessions: readonly SignInShown[] }> {
    return this.request('GET', '/auth/sessions');
  }

  /** Ends some of this person's sign-ins, with their sockets. */
  endSessions(ids: readonly string[]): Promise<null> {
    return this.request('POST', '/auth/sessions/logout', { session_id_hashes: ids });
  }

  /** Sets another password by a code that an administrator made. */
  resetPassword(code: string, newPassword: string): Promise<Renewed> {
    return this.request('POST', '/auth/reset', { code, new_password: newPassword });
  }

  /** Deletes this person's account, unless they sign in again in time. */
  deleteAccount(password: string): Promise<null> {
    return this.request('POST', '/users/@me/delete', { password });
  }

  /** Changes what this user says about themselves. What is left out stays; null empties it. */
  editProfile(profile: ProfileChange): Promise<User> {
    return this.request('PATCH', '/users/@me/profile', profile);
  }

  // For administrators.

  /** @param maxUses 0: any number. @param maxAge in seconds; 0: it does not expire */
  inviteToRegister(maxUses = 1, maxAge = 604_800): Promise<{ readonly id: string; readonly code: string }> {
    return this.request('POST', '/registration-invites', { max_uses: maxUses, max_age: maxAge });
  }

  /** A code by which the person sets another password, once. */
  passwordReset(userId: string): Promise<{ readonly code: string; readonly expires_at: string }> {
    return this.request('POST', `/users/${userId}/password-reset`);
  }

  disable(userId: string, disabled = true): Promise<null> {
    return this.request(disabled ? 'PUT' : 'DELETE', `/users/${userId}/disabled`);
  }

  deleteUser(userId: string): Promise<null> {
    return this.request('DELETE', `/users/${userId}`);
  }

  nameAdministrator(userId: string, administers = true): Promise<null> {
    return this.request(administers ? 'PUT' : 'DELETE', `/administrators/${userId}`);
  }

  /** Replaces a bot's token. */
  resetBot(applicationId: string): Promise<{ readonly token: string | null }> {
    return this.request('POST', `/applications/${applicationId}/bot/reset`);
  }

  me(): Promise<User> {
    return this.request('GET', '/users/@me');
  }

  createApplication(
    name: string,
  ): Promise<{ readonly id: string; readonly bot: { readonly id: string; readonly token: string | null } }> {
    return this.request('POST', '/applications', { name });
  }

  /** @param permissions of the role that the bot has there, as a decimal string */
  addBot(guildId: string, applicationId: string, permissions = '0'): Promise<null> {
    return this.request('POST', `/guilds/${guildId}/bots`, { application_id: applicationId, permissions });
  }

  createGuild(name: string): Promise<Guild> {
    return this.request('POST', '/guilds', { name });
  }

  channels(guildId: string): Promise<Channel[]> {
    return this.request('GET', `/guilds/${guildId}/channels`);
  }

  createChannel(guildId: string, name: string, more: object = {}): Promise<Channel> {
    return this.request('POST', `/guilds/${guildId}/channels`, { name, ...more });
  }

  editGuild(
    guildId: string,
    change: {
      name?: string;
      description?: string | null;
      /** 0 to 4. */
      verification_level?: number;
      /** 0 all messages, 1 those that mention one. */
      default_message_notifications?: number;
      system_channel_id?: string | null;
      system_channel_flags?: number;
      /** Whether anybody finds the guild and joins it without an invite. */
      features?: readonly 'DISCOVERABLE'[];
      /** The owner hands it on. */
      owner_id?: string;
    },
  ): Promise<Guild> {
    return this.request('PATCH', `/guilds/${guildId}`, change);
  }

  deleteGuild(guildId: string): Promise<null> {
    return this.request('DELETE', `/guilds/${guildId}`);
  }

  /** @param until ISO times within 24 hours; null ends a pause */
  pauseGuild(
    guildId: string,
    until: { invites_disabled_until?: string | null; dms_disabled_until?: string | null },
  ): Promise<{ readonly invites_disabled_until: string | null; readonly dms_disabled_until: string | null }> {
    return this.request('PUT', `/guilds/${guildId}/incident-actions`, until);
  }

  /** Guilds that anybody may join. @param q part of the name */
  discover(
    q = '',
  ): Promise<{ readonly id: string; readonly name: string; readonly approximate_member_count: number }[]> {
    return this.request('GET', `/discovery${query({ q })}`);
  }

  joinPublic(guildId: string): Promise<Guild> {
    return this.request('PUT', `/guilds/${guildId}/members/@me`);
  }

  editChannel(
    channelId: string,
    change: {
      name?: string;
      topic?: string | null;
      nsfw?: boolean;
      position?: number | null;
      /** Id of a category. */
      parent_id?: string | null;
      /** Seconds from one message of a person to their next. */
      rate_limit_per_user?: number;
      permission_overwrites?: readonly { id: string; type: 0 | 1; allow?: string; deny?: string }[];
    },
  ): Promise<Channel> {
    return this.request('PATCH', `/channels/${channelId}`, change);
  }

  /** @param places `lock_permissions`: the channel takes the overwrites of its category */
  moveChannels(
    guildId: string,
    places: readonly {
      readonly id: string;
      readonly position?: number;
      readonly parent_id?: string | null;
      readonly lock_permissions?: boolean;
    }[],
  ): Promise<null> {
    return this.request('PATCH', `/guilds/${guildId}/channels`, places);
  }

  createRole(guildId: string, settings: RoleSettings = {}): Promise<Role> {
    return this.request('POST', `/guilds/${guildId}/roles`, settings);
  }

  editRole(guildId: string, roleId: string, change: RoleSettings): Promise<Role> {
    return this.request('PATCH', `/guilds/${guildId}/roles/${roleId}`, change);
  }

  /** Returns all roles of the guild. */
  moveRoles(guildId: string, places: readonly { readonly id: string; readonly position: number }[]): Promise<Role[]> {
    return this.request('PATCH', `/guilds/${guildId}/roles`, places);
  }

  deleteRole(guildId: string, roleId: string): Promise<null> {
    return this.request('DELETE', `/guilds/${guildId}/roles/${roleId}`);
  }

  giveRole(guildId: string, userId: string, roleId: string): Promise<null> {
    return this.request('PUT', `/guilds/${guildId}/members/${userId}/roles/${roleId}`);
  }

  takeRole(guildId: string, userId: string, roleId: string): Promise<null> {
    return this.request('DELETE', `/guilds/${guildId}/members/${userId}/roles/${roleId}`);
  }

  /** By user id, beyond `after`. */
  members(guildId: string, page: { readonly after?: string; readonly limit?: number } = {}): Promise<Member[]> {
    return this.request('GET', `/guilds/${guildId}/members${query(page)}`);
  }

  /** Those whose username, display name or nickname begins so. */
  searchMembers(guildId: string, prefix: string, limit = 100): Promise<Member[]> {
    return this.request('GET', `/guilds/${guildId}/members/search${query({ query: prefix, limit })}`);
  }

  editMember(guildId: string, userId: string, change: MemberChange, reason?: string): Promise<Member> {
    return this.request('PATCH', `/guilds/${guildId}/members/${userId}`, change, undefined, reason);
  }

  setOwnNickname(guildId: string, nick: string | null): Promise<Member> {
    return this.request('PATCH', `/guilds/${guildId}/members/@me`, { nick });
  }

  kick(guildId: string, userId: string, reason?: string): Promise<null> {
    return this.request('DELETE', `/guilds/${guildId}/members/${userId}`, undefined, undefined, reason);
  }

  /** @param deleteMessageSeconds how far back what the person said is deleted: up to 604,800 */
  ban(guildId: string, userId: string, deleteMessageSeconds = 0, reason?: string): Promise<null> {
    const body = { delete_message_seconds: deleteMessageSeconds };
    return this.request('PUT', `/guilds/${guildId}/bans/${userId}`, body, undefined, reason);
  }

  unban(guildId: string, userId: string, reason?: string): Promise<null> {
    return this.request('DELETE', `/guilds/${guildId}/bans/${userId}`, undefined, undefined, reason);
  }

  /** By user id, beyond `after`. */
  bans(guildId: string, page: { readonly after?: string; readonly limit?: number } = {}): Promise<Ban[]> {
    return this.request('GET', `/guilds/${guildId}/bans${query(page)}`);
  }

  /** The newest entries first; with `after`, the oldest first. For those who may read the guild's audit log. */
  auditLog(
    guildId: string,
    page: {
      readonly user_id?: string;
      readonly action_type?: number;
      /** Ids of entries. */
      readonly before?: string;
      readonly after?: string;
      /** Up to 100; 50 if not said. */
      readonly limit?: number;
    } = {},
  ): Promise<AuditLog> {
    return this.request('GET', `/guilds/${guildId}/audit-logs${query(page)}`);
  }

  /** @param id of the role (type 0) or the person (type 1) */
  setOverwrite(
    channelId: string,
    id: string,
    overwrite: { readonly type: 0 | 1; readonly allow?: string; readonly deny?: string },
  ): Promise<null> {
    return this.request('PUT', `/channels/${channelId}/permissions/${id}`, overwrite);
  }

  deleteOverwrite(channelId: string, id: string): Promise<null> {
    return this.request('DELETE', `/channels/${channelId}/permissions/${id}`);
  }

  deleteChannel(channelId: string): Promise<Channel> {
    return this.request('DELETE', `/channels/${channelId}`);
  }

  createInvite(channelId: string, more: { max_age?: number; max_uses?: number } = {}): Promise<Invite> {
    return this.request('POST', `/channels/${channelId}/invites`, more);
  }

  /** For those who manage the channel. */
  channelInvites(channelId: string): Promise<Invite[]> {
    return this.request('GET', `/channels/${channelId}/invites`);
  }

  /** For those who manage the guild. */
  guildInvites(guildId: string): Promise<Invite[]> {
    return this.request('GET', `/guilds/${guildId}/invites`);
  }

  deleteInvite(code: string): Promise<Invite> {
    return this.request('DELETE', `/invites/${encodeURIComponent(code)}`);
  }

  join(code: string): Promise<Invite> {
    return this.request('POST', `/invites/${encodeURIComponent(code)}`);
  }

  leave(guildId: string): Promise<null> {
    return this.request('DELETE', `/users/@me/guilds/${guildId}`);
  }

  /** Of what you are notified. @param guildId null: in direct messages */
  guildSettings(guildId: string | null): Promise<GuildSettings> {
    return this.request('GET', `/users/@me/guilds/${guildId ?? '@me'}/settings`);
  }

  /** Channels that are not named stay as they are. What counts as unread does not change. */
  editGuildSettings(guildId: string | null, settings: GuildSettingsChange): Promise<GuildSettings> {
    return this.request('PATCH', `/users/@me/guilds/${guildId ?? '@me'}/settings`, settings);
  }

  relationships(): Promise<readonly Relationship[]> {
    return this.request('GET', '/users/@me/relationships');
  }

  /** Asks somebody to be friends, or accepts what they asked. */
  befriend(userId: string): Promise<null> {
    return this.request('PUT', `/users/@me/relationships/${userId}`, {});
  }

  block(userId: string): Promise<null> {
    return this.request('PUT', `/users/@me/relationships/${userId}`, { type: 2 });
  }

  /** Takes back or refuses a request, ends a friendship, or unblocks somebody. */
  removeRelationship(userId: string): Promise<null> {
    return this.request('DELETE', `/users/@me/relationships/${userId}`);
  }

  /** @param minutes without a message after which it is archived: 60, 1440, 4320 or 10080 */
  beginThread(channelId: string, messageId: string, name: string, minutes?: number): Promise<Channel> {
    const body = { name, ...(minutes === undefined ? {} : { auto_archive_duration: minutes }) };
    return this.request('POST', `/channels/${channelId}/messages/${messageId}/threads`, body);
  }

  /** A thread that begins at no message. @param type 11 public, 12 private */
  createThread(channelId: string, name: string, type: 11 | 12 = 11): Promise<Channel> {
    return this.request('POST', `/channels/${channelId}/threads`, { name, type });
  }

  editThread(threadId: string, change: ThreadChange, reason?: string): Promise<Channel> {
    return this.request('PATCH', `/channels/${threadId}`, change, undefined, reason);
  }

  /** @param userId somebody else */
  joinThread(threadId: string, userId = '@me'): Promise<null> {
    return this.request('PUT', `/channels/${threadId}/thread-members/${userId}`);
  }

  /** @param userId somebody else, who is removed */
  leaveThread(threadId: string, userId = '@me'): Promise<null> {
    return this.request('DELETE', `/channels/${threadId}/thread-members/${userId}`);
  }

  threadMembers(threadId: string): Promise<readonly ThreadMember[]> {
    return this.request('GET', `/channels/${threadId}/thread-members`);
  }

  activeThreads(guildId: string): Promise<{ readonly threads: Channel[]; readonly members: ThreadMember[] }> {
    return this.request('GET', `/guilds/${guildId}/threads/active`);
  }

  /** The last archived first. `has_more`: there are others before the last of them. */
  archivedThreads(channelId: string, archive: 'public' | 'private' = 'public'): Promise<ThreadPage> {
    return this.request('GET', `/channels/${channelId}/threads/archived/${archive}`);
  }

  openDirect(userId: string): Promise<Channel> {
    return this.request('POST', '/users/@me/channels', { recipient_id: userId });
  }

  /** @param userIds two to nine others: friends, or people of one of your guilds */
  createGroup(userIds: readonly string[]): Promise<Channel> {
    return this.request('POST', '/users/@me/channels', { recipients: userIds });
  }

  /** @param change `name`, null for none; `owner`: who owns it from now on */
  editGroup(channelId: string, change: { readonly name?: string | null; readonly owner?: string }): Promise<Channel> {
    return this.request('PATCH', `/channels/${channelId}`, change);
  }

  addRecipient(channelId: string, userId: string): Promise<null> {
    return this.request('PUT', `/channels/${channelId}/recipients/${userId}`);
  }

  /** Takes somebody out of a group that you own. With your own id you leave it. */
  removeRecipient(channelId: string, userId: string): Promise<null> {
    return this.request('DELETE', `/channels/${channelId}/recipients/${userId}`);
  }

  /** @param more `nonce` with `enforce_nonce: true` makes a repeated request post one message */
  send(channelId: string, content: string, more: object = {}): Promise<Message> {
    return this.request('POST', `/channels/${channelId}/messages`, { content, ...more });
  }

  /** @param change a new text, or what changes: absent stays as it is, null empties */
  edit(channelId: string, messageId: string, change: string | object): Promise<Message> {
    const body = typeof change === 'string' ? { content: change } : change;
    return this.request('PATCH', `/channels/${channelId}/messages/${messageId}`, body);
  }

  delete(channelId: string, messageId: string): Promise<null> {
    return this.request('DELETE', `/channels/${channelId}/messages/${messageId}`);
  }

  /** Two to 100 messages of a guild's channel, none older than 14 days. */
  bulkDelete(channelId: string, messageIds: readonly string[]): Promise<null> {
    return this.request('POST', `/channels/${channelId}/messages/bulk-delete`, { messages: messageIds });
  }

  react(channelId: string, messageId: string, emoji: string): Promise<null> {
    const reaction = encodeURIComponent(emoji);
    return this.request('PUT', `/channels/${channelId}/messages/${messageId}/reactions/${reaction}/@me`);
  }

  /** @param userId whose; without it your own */
  unreact(channelId: string, messageId: string, emoji: string, userId = '@me'): Promise<null> {
    const reaction = encodeURIComponent(emoji);
    return this.request('DELETE', `/channels/${channelId}/messages/${messageId}/reactions/${reaction}/${userId}`);
  }

  /** Takes everybody's reactions back. @param emoji only those with this one */
  clearReactions(channelId: string, messageId: string, emoji?: string): Promise<null> {
    const which = emoji === undefined ? '' : `/${encodeURIComponent(emoji)}`;
    return this.request('DELETE', `/channels/${channelId}/messages/${messageId}/reactions${which}`);
  }

  /** Who reacted with an emoji, by id. */
  reactors(
    channelId: string,
    messageId: string,
    emoji: string,
    page: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<User[]> {
    const reaction = encodeURIComponent(emoji);
    return this.request('GET', `/channels/${channelId}/messages/${messageId}/reactions/${reaction}${query(page)}`);
  }

  /** Tells the moderators, or the administrators of the server, what is wrong with a message. Again: the same report. */
  report(
    channelId: string,
    messageId: string,
    report: { readonly kind: ReportKind; readonly text?: string },
  ): Promise<Report> {
    return this.request('POST', `/channels/${channelId}/messages/${messageId}/report`, report);
  }

  /** A guild's reports, the newest first, for those who manage messages. */
  reports(guildId: string, page: ReportPage = {}): Promise<Report[]> {
    return this.request('GET', `/guilds/${guildId}/reports${query(page)}`);
  }

  /** Those that are for the administrators of the server. */
  reportsToAdministrators(page: ReportPage = {}): Promise<Report[]> {
    return this.request('GET', `/reports${query(page)}`);
  }

  /** What this person has reported, and what came of it. */
  ownReports(page: ReportPage = {}): Promise<Report[]> {
    return this.request('GET', `/users/@me/reports${query(page)}`);
  }

  /** Answers or closes a report. @param guildId null: as an administrator of the server */
  handleReport(
    guildId: string | null,
    reportId: string,
    outcome: { readonly state: 'answered' | 'closed'; readonly note?: string },
  ): Promise<Report> {
    const of = guildId === null ? '' : `/guilds/${guildId}`;
    return this.request('PATCH', `${of}/reports/${reportId}`, outcome);
  }

  pin(channelId: string, messageId: string): Promise<null> {
    return this.request('PUT', `/channels/${channelId}/messages/pins/${messageId}`);
  }

  unpin(channelId: string, messageId: string): Promise<null> {
    return this.request('DELETE', `/channels/${channelId}/messages/pins/${messageId}`);
  }

  /** Newest pin first. @param page `before`: the `pinned_at` of the last pin of the previous page */
  pins(
    channelId: string,
    page: { readonly before?: string; readonly limit?: number } = {},
  ): Promise<{
    readonly items: readonly { readonly pinned_at: string; readonly message: Message }[];
    readonly has_more: boolean;
  }> {
    return this.request('GET', `/channels/${channelId}/messages/pins${query(page)}`);
  }

  /** Newest first. */
  history(channelId: string, page: HistoryQuery = {}): Promise<Message[]> {
    return this.request('GET', `/channels/${channelId}/messages${query(page)}`);
  }

  /** What a message said before and after each edit, oldest first; for those who manage messages. */
  editHistory(
    channelId: string,
    messageId: string,
    page: { readonly from_sequence?: number } = {},
  ): Promise<{
    readonly versions: readonly {
      readonly content: string;
      readonly embeds: readonly unknown[];
      readonly timestamp: string;
      readonly sequence: number;
    }[];
    readonly next_sequence: number | null;
  }> {
    return this.request('GET', `/channels/${channelId}/messages/${messageId}/history${query(page)}`);
  }

  /** Marks everything up to this message as read. */
  ack(channelId: string, messageId: string): Promise<unknown> {
    return this.request('POST', `/channels/${channelId}/messages/${messageId}/ack`, {});
  }

  /** Marks everything behind this message as unread. */
  markUnread(channelId: string, messageId: string): Promise<unknown> {
    return this.request('POST', `/channels/${channelId}/messages/${messageId}/ack`, { manual: true });
  }

  /** As `ack`, in up to 100 channels. */
  ackBulk(readStates: readonly { readonly channel_id: string; readonly message_id: string }[]): Promise<null> {
    return this.request('POST', '/read-states/ack-bulk', { read_states: readStates });
  }

  readStates(): Promise<ReadState[]> {
    return this.request('GET', '/users/@me/read-states');
  }
}
