/** The HTTP interface as tests use it: plain fetch, plain JSON. */
import { randomUUID } from 'node:crypto';
import type { components } from './api-types.ts';

export interface Answer<T = unknown> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

/** As the OpenAPI document has them. */
type Shapes = components['schemas'];

export type Message = Shapes['Message'];

export interface Account {
  readonly id: string;
  readonly username: string;
  readonly token: string;
  /** The `Authorization` header of this account. */
  readonly authorization: string;
}

export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly type: number;
}

/** A request returned a status that the test did not expect. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(what: string, answer: Answer) {
    super(`${what} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    this.answer = answer;
  }
}

export const PASSWORD = 'correct horse battery';

/** What one account can do, or anybody when there is no account. */
export class Api {
  readonly base: string;
  readonly account: Account | undefined;

  /** @param base where the server or its front listens: `http://127.0.0.1:<port>` */
  constructor(base: string, account?: Account) {
    this.base = base;
    this.account = account;
  }

  as(account: Account): Api {
    return new Api(this.base, account);
  }

  /** Returns any answer as a value. @param path below `/v1`, or a whole path that begins with `/` and no version */
  async request<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Answer<T>> {
    const response = await fetch(`${this.base}/v1${path}`, {
      method,
      headers: {
        ...(this.account === undefined ? {} : { authorization: this.account.authorization }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...more,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as T, headers: response.headers };
  }

  /** @throws Refused unless the status is a success */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.request<T>(method, path, body);
    if (answer.status < 200 || answer.status > 299) throw new Refused(`${method} ${path}`, answer);
    return answer.body;
  }

  async register(username: string): Promise<Account> {
    const { token, user } = await this.ask<{ token: string; user: { id: string } }>('POST', '/auth/register', {
      username,
      password: PASSWORD,
    });
    return { id: user.id, username, token, authorization: `Bearer ${token}` };
  }

  /** Makes a bot of this account, in the guild if one is named. */
  async createBot(name: string, guildId?: string): Promise<Account> {
    const application = await this.ask<{ id: string; bot: { id: string; token: string } }>('POST', '/applications', {
      name,
    });
    if (guildId !== undefined) {
      await this.ask('POST', `/guilds/${guildId}/bots`, { application_id: application.id });
    }
    const { id, token } = application.bot;
    return { id, username: name, token, authorization: `Bot ${token}` };
  }

  /** @param announces whether a message says in its channel that somebody joined */
  async createGuild(name: string, announces = false): Promise<{ id: string; channel: Channel }> {
    const guild = await this.ask<{ id: string }>('POST', '/guilds', { name });
    if (!announces) await this.ask('PATCH', `/guilds/${guild.id}`, { system_channel_flags: 1 });
    const channels = await this.ask<Channel[]>('GET', `/guilds/${guild.id}/channels`);
    return { id: guild.id, channel: channels[0]! };
  }

  createChannel(guildId: string, body: { name: string; permission_overwrites?: unknown[] }): Promise<Channel> {
    return this.ask('POST', `/guilds/${guildId}/channels`, body);
  }

  async invite(channelId: string): Promise<string> {
    const { code } = await this.ask<{ code: string }>('POST', `/channels/${channelId}/invites`, {
      max_age: 0,
      max_uses: 0,
    });
    return code;
  }

  async join(code: string): Promise<void> {
    await this.ask('POST', `/invites/${code}`);
  }

  async leave(guildId: string): Promise<void> {
    await this.ask('DELETE', `/users/@me/guilds/${guildId}`);
  }

  openDirect(recipientId: string): Promise<Channel> {
    return this.ask('POST', '/users/@me/channels', { recipient_id: recipientId });
  }

  send(channelId: string, body: string | Record<string, unknown>): Promise<Message> {
    return this.ask('POST', `/channels/${channelId}/messages`, typeof body === 'string' ? { content: body } : body);
  }

  history(channelId: string, query = ''): Promise<Message[]> {
    return this.ask('GET', `/channels/${channelId}/messages${query}`);
  }
}

/** Unique among all accounts of a test run. */
export const someName = (prefix: string): string => `${prefix}_${randomUUID().slice(0, 8)}`;

/** People who register at once: a server hashes few passwords at a time, and lets few wait. */
const REGISTER_TOGETHER = 16;

/** Makes people who join a guild through one invite of its owner. */
export const joined = async (
  owner: Api,
  guild: { readonly channel: Channel },
  prefix: string,
  count: number,
): Promise<readonly Account[]> => {
  const code = await owner.invite(guild.channel.id);
  const anybody = new Api(owner.base);
  const join = async () => {
    const account = await anybody.register(someName(prefix));
    await anybody.as(account).join(code);
    return account;
  };
  const accounts: Account[] = [];
  while (accounts.length < count)
    accounts.push(
      ...(await Promise.all(Array.from({ length: Math.min(REGISTER_TOGETHER, count - accounts.length) }, join))),
    );
  return accounts;
};

/** Every message of a channel, oldest first, read page by page. */
export const wholeHistory = async (api: Api, channelId: string): Promise<Message[]> => {
  const messages: Message[] = [];
  for (let page = await api.history(channelId, '?limit=100'); page.length > 0; ) {
    messages.push(...page);
    page = await api.history(channelId, `?limit=100&before=${page.at(-1)!.id}`);
  }
  return messages.reverse();
};
