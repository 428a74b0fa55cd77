/** `parley import irc`: imports logs of an IRC channel into a channel of their own. */

import {
  FIRST_CHANNEL,
  IMPORT_WAIT_MS,
  Importing,
  ImportRefused,
  importedChannelKey,
  type PostedMessage,
} from '../../commands/importing.ts';
import { isFull } from '../../log/port.ts';
import type { GuildRow } from '../../projections/views/guild-views/view.ts';
import { deletedBy } from '../../schemas/message-ids.ts';
import { channelStream } from '../../schemas/streams.ts';
import { reasonOf } from '../../stores/guard.ts';
import type { Core } from '../embedded/core.ts';
import { contentOf, foldNick, type IrcFile, type IrcLine, openIrcFile, type Told } from './irc-file.ts';
import { ImportedLines, isSaid, type KeyedLine } from './line-keys.ts';
import { Replies } from './replies.ts';

export interface ImportRequest {
  /** As `openIrcFiles` returns them. */
  readonly files: readonly IrcFile[];
  readonly guild: string;
  readonly channel: string;
  /** Username of the person who owns the guild when it is made. Default: the administrator. */
  readonly owner?: string | undefined;
  /** Whether `nick: text` is taken for a reply to the latest message of that person. */
  readonly guessReplies?: boolean | undefined;
  /** Called with the number of lines done, including lines without anything to post. */
  readonly onProgress: (done: number, total: number) => void;
}

export interface ImportReport {
  /** Lines by kind; `message`, `empty`, `action`, `system` and `other` add up to all lines. */
  readonly lines: Readonly<Record<IrcLine['kind'], number>>;
  /** Where the first line of kind `other` is, such as `2004-12-25.txt:17`. */
  readonly firstOther: string | undefined;
  /** Messages that are stored now and were not before, and how many of them are replies. */
  readonly posted: number;
  readonly replies: number;
  /** Messages that were stored before. */
  readonly known: number;
  /** Lines that a former version did not take for messages, before others that it did. */
  readonly leftOut: number;
  /** People who wrote what was posted; all spellings of a nickname count as one. */
  readonly people: number;
  /** How many of them have their account from this import. */
  readonly newPeople: number;
  /** Byte sequences that stood for no character. */
  readonly replaced: number;
  /** Ordinal of the channel's last message. */
  readonly head: number;
  readonly guildId: string;
  readonly channelId: string;
}

/** Lines whose people and messages are stored together, so that they share durable commits. */
const CHUNK = 1000;
const PAGE = 5000;
const IS_ID = /^\d{17,20}$/;

export const NOBODY_REGISTERED =
  'nobody has registered yet, and the first person to register owns what is imported: start the server, register, stop it, and import again';

/** In order of their days. */
const inOrder = (files: readonly IrcFile[]): readonly IrcFile[] =>
  [...files].sort((a, b) => (a.day ?? a.first ?? 0) - (b.day ?? b.first ?? 0) || (a.path < b.path ? -1 : 1));

/**
 * Opens the files before the data folder: a wrong one is refused, and nothing has changed.
 * @param now milliseconds since 1970
 * @returns them in order of their days
 * @throws an error that names the file
 */
export const openIrcFiles = async (paths: readonly string[], now: number, told: Told): Promise<readonly IrcFile[]> => {
  const files: IrcFile[] = [];
  for (const path of paths) files.push(await openIrcFile(path, now, told));
  return inOrder(files);
};

async function* chunksOf(lines: AsyncIterable<KeyedLine>): AsyncGenerator<KeyedLine[]> {
  let chunk: KeyedLine[] = [];
  for await (const line of lines) {
    chunk.push(line);
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

interface Destination {
  readonly guild: GuildRow;
  readonly channelId: string;
}

class IrcImport {
  private readonly core: Core;
  private readonly request: ImportRequest;
  private readonly importing: Importing;
  private readonly lines: Record<IrcLine['kind'], number> = { message: 0, empty: 0, action: 0, system: 0, other: 0 };
  private readonly accounts = new Map<string, Promise<string>>();
  private readonly replies = new Replies<PostedMessage>();
  private readonly counts = { posted: 0, replies: 0, known: 0, leftOut: 0, newPeople: 0, replaced: 0 };
  private firstOther: string | undefined;

  constructor(core: Core, request: ImportRequest) {
    this.core = core;
    this.request = request;
    this.importing = new Importing(core.write.deps, core.write.identity);
  }

  async run(): Promise<ImportReport> {
    const { files, onProgress } = this.request;
    const total = files.reduce((sum, { count }) => sum + count, 0);
    const to = await this.destination();
    const imported = await this.importedInto(to.channelId);
    let done = 0;
    for (const file of files) {
      for await (const chunk of chunksOf(imported.linesOf(file))) {
        await this.take(chunk, file, to);
        done += chunk.length;
        onProgress(done, total);
      }
    }
    const { views, log } = this.core;
    if (!(await views.whenProcessed(await log.head(), IMPORT_WAIT_MS)))
      throw new ImportRefused('the views do not follow');
    const { ordinal: head } = await views.unread.head(to.channelId);
    const { lines, firstOther, counts, accounts } = this;
    const { guild, channelId } = to;
    return { lines, firstOther, ...counts, people: accounts.size, head, guildId: guild.id, channelId };
  }

  private async owner(): Promise<string> {
    const { core } = this;
    const { guilds } = core.views;
    const [administrator] = await guilds.administrators();
    if (administrator === undefined) throw new ImportRefused(NOBODY_REGISTERED);
    const { owner: name } = this.request;
    if (name === undefined) return administrator;
    const holder = await core.vault.usernameHolder(name);
    const user = holder && (await guilds.user(holder.userId));
    if (user?.kind !== 'person') throw new ImportRefused(`--owner: nobody is registered as ${name}`);
    return user.id;
  }

  private async guildOf(owner: string): Promise<GuildRow | undefined> {
    const { guild: name } = this.request;
    const found = (await this.core.views.guilds.guildsOf(owner)).filter((one) => one.name === name || one.id === name);
    if (found.length > 1)
      throw new ImportRefused(
        `several guilds are called ${name}: give --guild the id of one: ${found.map(({ id }) => id).join(', ')}`,
      );
    if (found.length === 0 && IS_ID.test(name)) throw new ImportRefused(`the owner is in no guild with the id ${name}`);
    return found[0];
  }

  private async destination(): Promise<Destination> {
    const { guild: name, channel, files } = this.request;
    const owner = await this.owner();
    const taken = new ImportRefused(
      `the guild ${name} has a channel ${channel} that was not imported; give --channel another name`,
    );
    const found = await this.guildOf(owner);
    if (found === undefined && channel === FIRST_CHANNEL) throw taken;
    const begin = files.find(({ first }) => first !== undefined)?.first;
    if (begin === undefined) throw new ImportRefused('there is nothing to import: every file is empty');
    const guild = found ?? (await this.importing.guild(name, owner, begin));
    for (const one of await this.core.views.guilds.channelsOf(guild.id)) {
      if (one.name !== channel || one.isDeleted === true) continue;
      const [created] = await this.core.log.readStream({ stream: channelStream(one.id), limit: 1 });
      if (created?.key === importedChannelKey(channel)) return { guild, channelId: one.id };
      throw taken;
    }
    return { guild, channelId: await this.importing.channel(guild, channel, begin) };
  }

  /** What earlier runs imported. */
  private async importedInto(channelId: string): Promise<ImportedLines> {
    const imported = new ImportedLines();
    const keys = new Map<string, string>();
    for (let from = 1; ; ) {
      const events = await this.core.log.readStream({ stream: channelStream(channelId), from, limit: PAGE });
      for (const event of events) {
        const { type, key, time, data } = event;
        if (type === 'message-posted' && key !== null) {
          const { author, messageId } = data;
          imported.add(key, time, { author, messageId });
          keys.set(messageId, key);
        }
        for (const id of deletedBy(event)) imported.deleted(keys.get(id) ?? '');
      }
      if (!isFull(events, PAGE)) return imported;
      from += events.length;
    }
  }

  private async take(chunk: readonly KeyedLine[], file: IrcFile, to: Destination): Promise<void> {
    const { counts } = this;
    const fresh: { line: IrcLine; key: string; author: Promise<string> }[] = [];
    for (const { line, key, isKnown, isLeftOut } of chunk) {
      this.lines[line.kind] += 1;
      counts.replaced += line.replaced;
      if (line.kind === 'other') this.firstOther ??= `${file.name}:${line.line}`;
      if (!isSaid(line)) continue;
      if (isLeftOut) counts.leftOut += 1;
      else if (isKnown) counts.known += 1;
      else fresh.push({ line, key, author: this.author(line, to.guild) });
    }
    const authors = new Map<string, string>();
    for (const { key, author } of fresh) authors.set(key, await author);
    const posting = chunk.flatMap((one) => this.post(one, authors.get(one.key), to));
    const outcomes = await Promise.allSettled(posting);
    for (const outcome of outcomes) if (outcome.status === 'fulfilled' && outcome.value) counts.posted += 1;
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined)
      throw new ImportRefused(
        `${reasonOf(failed.reason)} (${counts.posted} messages are stored: import again, and it goes on from there)`,
      );
  }

  /** @param author `undefined` when there is nothing to post */
  private post(
    { line, key, message: known }: KeyedLine,
    author: string | undefined,
    { guild, channelId }: Destination,
  ): readonly Promise<boolean>[] {
    if (author === undefined) {
      if (known !== undefined) this.replies.said(line, known);
      return [];
    }
    const replyTo = this.request.guessReplies === true ? this.replies.answeredBy(line) : undefined;
    if (replyTo !== undefined) this.counts.replies += 1;
    const posted: PostedMessage = { author, messageId: undefined };
    this.replies.said(line, posted);
    const message = { author, content: contentOf(line), time: line.time, key, replyTo };
    return [this.importing.message(guild, channelId, message, posted)];
  }

  private author({ nick, time }: IrcLine, guild: GuildRow): Promise<string> {
    const folded = foldNick(nick!);
    const known = this.accounts.get(folded);
    if (known !== undefined) return known;
    const made = this.importing.account(nick!, folded, time).then(async ({ userId, isNew }) => {
      if (isNew) this.counts.newPeople += 1;
      await this.importing.member(guild.id, userId, time);
      return userId;
    });
    this.accounts.set(folded, made);
    return made;
  }
}

export const importIrc = (core: Core, request: ImportRequest): Promise<ImportReport> =>
  new IrcImport(core, request).run();
