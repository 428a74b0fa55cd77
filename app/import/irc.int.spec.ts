/** Imports into a data folder of its own, without a server. */

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { either } from 'fp-ts';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Importing } from '../../commands/importing.ts';
import { right } from '../../commands/testing.ts';
import { systemClock } from '../../schemas/clock.ts';
import type { EventOf } from '../../schemas/events/catalogue.ts';
import { channelStream, guildStream } from '../../schemas/streams.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { type Core, openCore } from '../embedded/core.ts';
import { readConfig } from '../environment.ts';
import { type ImportReport, type ImportRequest, importIrc, openIrcFiles } from './irc.ts';

const DAY = '2004-12-25';
const folder = mkdtempSync(join(tmpdir(), 'parley-irc-'));
let core: Core;

beforeAll(async () => {
  const config = readConfig({ PARLEY_DATA: join(folder, 'data') });
  if (either.isLeft(config)) throw new Error(config.left.join());
  core = await openCore({
    config: config.right,
    metrics: createMetrics(),
    logger: pino({ level: 'silent' }),
    clock: systemClock,
    say: () => {},
    onRebuild: () => {},
    onFailure: () => {},
  });
  await core.start();
});
afterAll(async () => {
  await core.close();
  rmSync(folder, { recursive: true, force: true });
});

const register = async (username: string): Promise<string> => {
  const credentials = { username, password: 'correct horse battery', globalName: null };
  const caller = { address: '::1', correlationId: username, isGone: () => false };
  const registered = await core.write.identity.register(credentials, caller);
  if (either.isLeft(registered)) throw new Error(registered.left.message);
  return registered.right.userId;
};

const imported = async (text: string, to: Partial<ImportRequest> = {}, day = DAY): Promise<ImportReport> => {
  const path = join(folder, `${day}.txt`);
  writeFileSync(path, text);
  const files = await openIrcFiles([path], systemClock.wallTime(), {});
  return importIrc(core, { files, guild: 'Ubuntu', channel: 'ubuntu', onProgress: () => {}, ...to });
};

const posted = async ({ channelId }: Pick<ImportReport, 'channelId'>): Promise<EventOf<'message-posted'>[]> => {
  const events = await core.log.readStream({ stream: channelStream(channelId), limit: 100 });
  return events.filter((event) => event.type === 'message-posted');
};

const TEXT = '[09:14] <ann> anyone?\n[09:14] <bob> x\n[09:15]  * ann waves\n';

describe('an import', () => {
  it('makes no guild while there is nobody to own it', async () => {
    await expect(imported(TEXT)).rejects.toThrow('nobody has registered yet');
    expect(await core.log.head()).toBe(0);
  });

  it('makes a guild of the administrator, or of the person who is named', async () => {
    const [first, second] = [await register('first'), await register('second')];
    const ofFirst = await imported(TEXT);
    const ofSecond = await imported(TEXT, { owner: 'Second' });
    expect(ofFirst).toMatchObject({ posted: 3, known: 0, people: 2, newPeople: 2, head: 3 });
    expect(ofSecond).toMatchObject({ posted: 3, known: 0, people: 2, newPeople: 0, head: 3 });
    const owners = [ofFirst, ofSecond].map(async ({ guildId }) => (await core.views.guilds.guild(guildId))?.ownerId);
    expect(await Promise.all(owners)).toEqual([first, second]);
    await expect(imported(TEXT, { owner: 'ann' })).rejects.toThrow('--owner: nobody is registered as ann');
    await expect(imported(TEXT, { guild: '12345678901234567' })).rejects.toThrow('in no guild with the id');
  });

  it('takes a guild by its id, which it asks for when several have the name', async () => {
    const importing = new Importing(core.write.deps, core.write.identity);
    const owner = (await core.views.guilds.administrator())!;
    const [one, other] = [await importing.guild('Twice', owner, 0), await importing.guild('Twice', owner, 0)];
    await expect(imported(TEXT, { guild: 'Twice' })).rejects.toThrow(
      `give --guild the id of one: ${one.id}, ${other.id}`,
    );
    expect(await imported(TEXT, { guild: other.id })).toMatchObject({ guildId: other.id, posted: 3 });
  });

  it('lets guild and channel begin with the first line, which a look at the past needs', async () => {
    const { guildId, channelId } = await imported(TEXT);
    for (const stream of [guildStream(guildId), channelStream(channelId)]) {
      const [created] = await core.log.readStream({ stream, limit: 1 });
      expect(new Date(created!.time).toISOString()).toBe(`${DAY}T09:14:00.000Z`);
    }
  });

  it('gives every channel ids of its own, also for lines that are the same', async () => {
    const reports = [await imported(TEXT), await imported(TEXT, { channel: 'twin' })];
    const ids = (await Promise.all(reports.map(posted))).flat().map(({ data }) => data.messageId);
    expect(ids).toHaveLength(6);
    expect(new Set(ids).size).toBe(6);
  });

  it('stores two days that read the same', async () => {
    expect(await imported(TEXT, { channel: 'days' })).toMatchObject({ posted: 3 });
    expect(await imported(TEXT, { channel: 'days' }, '2004-12-26')).toMatchObject({ posted: 3, known: 0, head: 6 });
  });

  it('knows what a former version stored, also when the log has grown since, and adds the rest', async () => {
    const { guildId, channelId } = await imported(
      '[09:00] <ann> x\n[09:00] <bob> x\n',
      { channel: 'former' },
      '2004-12-24',
    );
    const guild = (await core.views.guilds.guild(guildId))!;
    const [ann, bob] = (await posted({ channelId })).map(({ data }) => data.author);
    const importing = new Importing(core.write.deps, core.write.identity);
    const hash = createHash('sha256').update(TEXT).digest('hex');
    for (const [i, author] of [ann!, bob!, ann!].entries()) {
      const time = Date.parse(`${DAY}T09:1${i < 2 ? 4 : 5}:00Z`);
      const message = { author, content: 'x', time, key: `irc:${hash}:${i + 1}` };
      await importing.message(guild, channelId, message, { author, messageId: undefined });
    }
    const grown = `${TEXT}[09:16] <bob> more\n`;
    expect(await imported(grown, { channel: 'former' })).toMatchObject({ posted: 1, known: 3, head: 6 });
    expect(await imported(TEXT, { channel: 'former' }, '2004-12-26')).toMatchObject({ posted: 3, known: 0, head: 9 });
  });

  it('leaves a deleted channel of the same name alone, whether it was imported or not', async () => {
    const first = await imported(TEXT, { guild: 'Deleting', channel: 'gone' });
    const { guildId, channelId } = first;
    const owner = (await core.views.guilds.guild(guildId))!.ownerId;
    const deletes = async (channel_id: string) => {
      const actor = { kind: 'person' as const, userId: owner, administrator: false };
      const context = { actor, key: null, counted: true, correlationId: 'c' };
      right((await core.write.bus.submit(context, 'channel.delete', { channel_id })).outcome);
    };
    await deletes(channelId);
    const second = await imported(TEXT, { guild: 'Deleting', channel: 'gone' });
    expect(second).toMatchObject({ posted: 3, known: 0, guildId });
    expect(second.channelId).not.toBe(channelId);
    expect(await imported(TEXT, { guild: 'Deleting', channel: 'gone' })).toMatchObject({
      ...{ posted: 0, known: 3, channelId: second.channelId },
    });
    const general = (await core.views.guilds.channelsOf(guildId)).find(({ name }) => name === 'general')!;
    await deletes(general.id);
    expect(await imported(TEXT, { guild: 'Deleting', channel: 'general' })).toMatchObject({ posted: 3, known: 0 });
  });

  it('guesses replies when asked to, also to what was imported before', async () => {
    await imported(TEXT, { channel: 'replies' });
    const more = `${TEXT}[09:15] <bob> Ann: yes\n[09:16] <ann> bob, fine\n[09:17] <ann> carl: hello\n`;
    const report = await imported(more, { channel: 'replies', guessReplies: true });
    expect(report).toMatchObject({ posted: 3, known: 3, replies: 2 });
    const messages = (await posted(report)).map(({ data }) => data);
    expect(messages.slice(3).map(({ replyTo }) => replyTo)).toEqual([
      messages[2]!.messageId,
      messages[3]!.messageId,
      null,
    ]);
  });

  it('refuses a channel that was not imported, and files without a line', async () => {
    await expect(imported(TEXT, { channel: 'general' })).rejects.toThrow('was not imported');
    await expect(imported('', { channel: 'empty' })).rejects.toThrow('every file is empty');
  });
});
