/** `parley import irc`: imports logs of an IRC channel into a channel of their own. */

import { createHash } from 'node:crypto';
import {
  FIRST_CHANNEL,
  type ImportedMessage,
  Importing,
  ImportRefused,
  importedChannelKey,
} from '../../commands/importing.ts';
import { isFull } from '../../log/port.ts';
import type { GuildRow } from '../../projections/views/guild-views/view.ts';
import { channelStream } from '../../schemas/streams.ts';
import type { Core } from '../embedded/core.ts';
import { foldNick, type IrcFile, type IrcLine, openIrcFile } from './irc-parser.ts';

export interface ImportRequest {
  /** As `openIrcFiles` returns them. */
  readonly files: readonly IrcFile[];
  readonly guild: string;
  readonly channel: string;
  /** Called with the number of lines done, including lines without anything to post. */
  readonly onProgress: (done: number, total: number) => void;
}

export interface ImportReport {
  /** Lines by kind; `message`, `empty`, `action`, `system` and `other` add up to all lines. */
  readonly lines: Readonly<Record<IrcLine['kind'], number>>;
  readonly posted: number;
  /** Lines that were imported before. */
  readonly known: number;
  /** People who said something; all spellings of a nickname count as one. */
  readonly accounts: number;
  /** Byte sequences that were not UTF-8. */
  readonly replaced: number;
  /** Ordinal of the channel's last message. */
  readonly head: number;
  readonly guildId: string;
  readonly channelId: string;
}

/** Lines whose people and messages are stored together, so that they share durable commits. */
const CHUNK = 1000;
const PAGE = 5000;

export const NOBODY_REGISTERED =
  'nobody has registered yet, and the first person to register owns what is imported: start the server, register, stop it, and import again';

const contentOf = (line: IrcLine): string => (line.kind === 'action' ? `_${line.text}_` : line.text);

/** The key that former versions gave a line, which was another one as soon as the file had grown. */
const formerKey = (file: IrcFile, line: IrcLine): string => `irc:${file.hash}:${line.line}`;

interface KeyedLine {
  readonly line: IrcLine;
  /** Identifies the line and all before it, whatever follows, and under any name of the file. */
  readonly key: string;
}

/**
 * Opens the files before the data folder: a wrong one is refused, and nothing has changed.
 * @param now milliseconds since 1970
 * @returns them in order of their days
 * @throws an error that names the file
 */
export const openIrcFiles = async (paths: readonly string[], now: number): Promise<readonly IrcFile[]> => {
  const files = await Promise.all(paths.map((path) => openIrcFile(path, now)));
  return files.sort((a, b) => a.midnight - b.midnight || (a.path < b.path ? -1 : 1));
};

async function* chunksOf(file: IrcFile): AsyncGenerator<KeyedLine[]> {
  const soFar = createHash('sha256');
  let chunk: KeyedLine[] = [];
  for await (const line of file.lines()) {
    soFar.update(JSON.stringify([line.kind, line.nick, line.text, line.time - file.midnight]));
    chunk.push({ line, key: `irc:${soFar.copy().digest('hex')}` });
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

const countLines = async (files: readonly IrcFile[]): Promise<number> => {
  let total = 0;
  for (const file of files) for await (const _ of file.lines()) total += 1;
  return total;
};

class IrcImport {
  private readonly core: Core;
  private readonly importing: Importing;
  private readonly lines: Record<IrcLine['kind'], number> = { message: 0, empty: 0, action: 0, system: 0, other: 0 };
  private readonly accounts = new Map<string, Promise<string>>();
  private posted = 0;
  private known = 0;
  private replaced = 0;

  constructor(core: Core) {
    this.core = core;
    this.importing = new Importing(core.write.deps, core.write.identity);
  }

  async run(request: ImportRequest): Promise<ImportReport> {
    const { files } = request;
    const total = await countLines(files);
    const { guild, channelId } = await this.destination(request);
    const imported = await this.keysIn(channelId);
    let done = 0;
    for (const file of files) {
      for await (const chunk of chunksOf(file)) {
        await this.take(file, chunk, guild, channelId, imported);
        done += chunk.length;
        request.onProgress(done, total);
      }
    }
    const { views, log } = this.core;
    if (!(await views.whenProcessed(await log.head(), 60_000))) throw new ImportRefused('the views do not follow');
    const head = await views.unread.head(channelId);
    const { lines, posted, known, replaced } = this;
    return {
      lines,
      posted,
      known,
      replaced,
      accounts: this.accounts.size,
      head: head.ordinal,
      guildId: guild.id,
      channelId,
    };
  }

  private async destination({ guild: name, channel }: ImportRequest): Promise<{ guild: GuildRow; channelId: string }> {
    const { guilds } = this.core.views;
    const owner = await guilds.administrator();
    if (owner === undefined) throw new ImportRefused(NOBODY_REGISTERED);
    const taken = new ImportRefused(
      `the guild ${name} has a channel ${channel} that was not imported; give --channel another name`,
    );
    const found = (await guilds.guildsOf(owner)).find((one) => one.name === name || one.id === name);
    if (found === undefined && channel === FIRST_CHANNEL) throw taken;
    const guild = found ?? (await this.importing.guild(name, owner));
    for (const one of await guilds.channelsOf(guild.id)) {
      if (one.name !== channel) continue;
      const [created] = await this.core.log.readStream({ stream: channelStream(one.id), limit: 1 });
      if (created?.key === importedChannelKey(channel)) return { guild, channelId: one.id };
      throw taken;
    }
    return { guild, channelId: await this.importing.channel(guild, channel) };
  }

  /** What earlier runs imported. */
  private async keysIn(channelId: string): Promise<Set<string>> {
    const keys = new Set<string>();
    for (let from = 1; ; ) {
      const events = await this.core.log.readStream({ stream: channelStream(channelId), from, limit: PAGE });
      for (const { key } of events) if (key !== null) keys.add(key);
      if (!isFull(events, PAGE)) return keys;
      from += events.length;
    }
  }

  private async take(
    file: IrcFile,
    chunk: readonly KeyedLine[],
    guild: GuildRow,
    channelId: string,
    imported: Set<string>,
  ) {
    const said: { line: IrcLine; author: Promise<string>; key: string }[] = [];
    for (const { line, key } of chunk) {
      this.lines[line.kind] += 1;
      this.replaced += line.replaced;
      if (line.nick === null) continue;
      const author = this.author(line.nick, line.time, guild);
      if (line.kind === 'empty') continue;
      if (imported.has(key) || imported.has(formerKey(file, line))) this.known += 1;
      else said.push({ line, author, key });
      imported.add(key);
    }
    const messages: ImportedMessage[] = [];
    for (const { line, author, key } of said) {
      messages.push({ author: await author, content: contentOf(line), time: line.time, key });
    }
    await Promise.all(this.accounts.values());
    await Promise.all(messages.map((message) => this.importing.message(guild, channelId, message)));
    this.posted += messages.length;
  }

  private author(nick: string, time: number, guild: GuildRow): Promise<string> {
    const folded = foldNick(nick);
    const known = this.accounts.get(folded);
    if (known !== undefined) return known;
    const made = this.importing.account(nick, folded, time).then(async (userId) => {
      await this.importing.member(guild.id, userId, time);
      return userId;
    });
    this.accounts.set(folded, made);
    return made;
  }
}

export const importIrc = (core: Core, request: ImportRequest): Promise<ImportReport> =>
  new IrcImport(core).run(request);
