/** Opens profiles for display, through a small cache. */

import { LRUCache } from 'lru-cache';
import type { GuildReader, UserRow } from '../projections/views/guild-views/view.ts';
import { Profile } from '../schemas/events/user.ts';
import { userStream } from '../schemas/streams.ts';
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

export class UserPresenter {
  private readonly guilds: GuildReader;
  private readonly keys: KeyRing;
  private readonly slices: TimeSlices;
  private readonly cache = new LRUCache<string, ApiUser>({ max: 50_000 });

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
    const rows = await this.guilds.users(missing);
    await this.keys.load(rows.map((row) => row.sealed.by));
    const users = await this.slices.pieces(rows, USERS_PER_STEP, (some) => some.map((row) => this.open(row)));
    for (const user of users) found.set(user.id, user);
    for (const id of missing) if (!found.has(id)) found.set(id, deletedUser(id));
    return found;
  }

  forget(id: string): void {
    this.cache.delete(id);
  }

  private open(row: UserRow): ApiUser {
    const key = this.keys.cached(row.sealed.by) ?? undefined;
    const profile = openAs(Profile, key, { stream: userStream(row.id), eventId: row.sealedIn }, row.sealed);
    const user: ApiUser =
      profile === undefined
        ? deletedUser(row.id)
        : {
            id: row.id,
            username: profile.username,
            global_name: profile.globalName,
            discriminator: '0',
            avatar: null,
            bot: row.kind === 'bot',
            public_flags: 0,
          };
    this.cache.set(row.id, user);
    return user;
  }
}
