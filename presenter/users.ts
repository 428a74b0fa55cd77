/** Opens profiles for display, through a small cache. */

import type { GuildReader, MemberRow, UserRow } from '../projections/views/guild-views/view.ts';
import type { EventOf } from '../schemas/events/catalogue.ts';
import { Nickname } from '../schemas/events/member.ts';
import { type About, NO_ABOUT, Profile } from '../schemas/events/user.ts';
import { lru } from '../schemas/lru.ts';
import { memberStream, userStream } from '../schemas/streams.ts';
import type { TimeSlices } from '../schemas/time-slices.ts';
import { type KeyRing, openAs } from '../vault/sealing.ts';
import type { ApiUser } from './shapes.ts';

/** Opened in one step: less than a millisecond of work. */
const USERS_PER_STEP = 20;

/** Stands for a user whose key is gone or who is unknown. */
const deletedUser = (id: string): ApiUser => ({
  id,
  username: 'deleted-user',
  global_name: 'Deleted User',
  discriminator: '0',
  avatar: null,
  bot: false,
  public_flags: 0,
});

/** A user with what they say about themselves. */
export interface WholeUser {
  readonly user: ApiUser;
  readonly about: About;
}

/** Where a profile is sealed. */
type SealedProfile = Pick<UserRow, 'id' | 'kind' | 'sealed' | 'sealedIn'>;

export class UserPresenter {
  private readonly guilds: GuildReader;
  private readonly keys: KeyRing;
  private readonly slices: TimeSlices;
  private readonly cache = lru<string, ApiUser>(50_000);
  /** Raised by `forget`: what was read before it must not be cached after it. */
  private forgotten = 0;

  constructor(guilds: GuildReader, keys: KeyRing, slices: TimeSlices) {
    this.guilds = guilds;
    this.keys = keys;
    this.slices = slices;
  }

  /** The cached user, without a look-up; `undefined` when the user was not shown lately. */
  cached(id: string): ApiUser | undefined {
    return this.cache.get(id);
  }

  async user(id: string): Promise<ApiUser> {
    return this.cache.get(id) ?? (await this.users([id])).get(id)!;
  }

  async users(ids: Iterable<string>): Promise<Map<string, ApiUser>> {
    const found = new Map<string, ApiUser>();
    const missing: string[] = [];
    for (const id of new Set(ids)) {
      const known = this.cache.get(id);
      if (known === undefined) missing.push(id);
      else found.set(id, known);
    }
    if (missing.length === 0) return found;
    const before = this.forgotten;
    const rows = await this.guilds.users(missing);
    await this.keys.load(rows.map((row) => row.sealed.by));
    const users = await this.slices.pieces(rows, USERS_PER_STEP, (some) => some.map((row) => this.open(row).user));
    for (const user of users) {
      found.set(user.id, user);
      if (before === this.forgotten) this.cache.set(user.id, user);
    }
    for (const id of missing) if (!found.has(id)) found.set(id, deletedUser(id));
    return found;
  }

  /** With all of the profile as it is now. */
  async whole(id: string): Promise<WholeUser> {
    const [row] = await this.guilds.users([id]);
    return row === undefined ? { user: deletedUser(id), about: NO_ABOUT } : this.opened(row);
  }

  /** As an event left the user. */
  async changed({ id: sealedIn, data }: EventOf<'user-profile-changed'>): Promise<WholeUser> {
    const { userId: id, sealed } = data;
    const [row] = await this.guilds.users([id]);
    return this.opened({ id, kind: row?.kind ?? 'person', sealed, sealedIn });
  }

  /** The nicknames of members, in the order of the rows. */
  async nicks(rows: readonly MemberRow[]): Promise<readonly (string | null)[]> {
    const named = rows.flatMap(({ nick }) => (nick === null ? [] : [nick.sealed.by]));
    if (named.length > 0) await this.keys.load(named);
    return rows.map((row) => this.openNick(row));
  }

  /** Requires that the key is cached. Without a key there is no name to show. */
  private openNick({ guildId, userId, nick }: MemberRow): string | null {
    if (nick === null) return null;
    const key = this.keys.cached(nick.sealed.by) ?? undefined;
    const place = { stream: memberStream(guildId, userId), eventId: nick.sealedIn };
    return openAs(Nickname, key, place, nick.sealed)?.nick ?? null;
  }

  forget(id: string): void {
    this.forgotten += 1;
    this.cache.delete(id);
  }

  private async opened(profile: SealedProfile): Promise<WholeUser> {
    await this.keys.load([profile.sealed.by]);
    return this.open(profile);
  }

  private open({ id, kind, sealed, sealedIn }: SealedProfile): WholeUser {
    const key = this.keys.cached(sealed.by) ?? undefined;
    const profile = openAs(Profile, key, { stream: userStream(id), eventId: sealedIn }, sealed);
    if (profile === undefined) return { user: deletedUser(id), about: NO_ABOUT };
    const { username, globalName, about = NO_ABOUT } = profile;
    const names = { username, global_name: globalName, discriminator: '0', avatar: null };
    return { user: { id, ...names, bot: kind === 'bot', public_flags: 0 }, about };
  }
}
