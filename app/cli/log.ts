/** `parley log export | import` */

import { ChannelName } from '../../commands/features/channels.ts';
import { GuildName } from '../../commands/features/guilds.ts';
import { systemClock } from '../../schemas/clock.ts';
import { wrongIn } from '../../schemas/codecs.ts';
import { checkArchive } from '../archive/check.ts';
import { exportLog } from '../archive/export.ts';
import { importLog } from '../archive/import.ts';
import { type ImportReport, importIrc, NOBODY_REGISTERED, openIrcFiles } from '../import/irc.ts';
import type { IrcFile } from '../import/irc-file.ts';
import { dateInName } from '../import/times.ts';
import { withCore } from './remote.ts';
import { configured, counted, progress, reported, say, shown, WrongUsage, wait } from './terminal.ts';

/** `parley import irc <files...>` */
const summary = (files: readonly IrcFile[], report: ImportReport): string => {
  const { lines, firstOther, posted, replies, people, newPeople } = report;
  const all = Object.values(lines).reduce((sum, count) => sum + count, 0);
  const where = firstOther === undefined ? '' : `, the first at ${firstOther}`;
  return [
    ...files.flatMap(({ path, guesses }) => guesses.map((guess) => `${path}: ${guess}`)),
    `${counted(all, 'line')}: ${lines.message + lines.empty} said (${lines.empty} empty), ${lines.action} actions, ${lines.system} system lines, ${lines.other} others${where}`,
    `${counted(posted, 'message')} added, ${report.known.toLocaleString('en')} known from earlier imports`,
    ...(posted > 0
      ? [`they are by ${counted(people, 'author')}, ${newPeople.toLocaleString('en')} of them new here`]
      : []),
    ...(replies > 0 ? [`taken for replies: ${replies.toLocaleString('en')} of them`] : []),
    ...(report.leftOut > 0
      ? [
          `${report.leftOut} actions were left out, because a former version has imported what follows them without them`,
        ]
      : []),
    ...(report.replaced > 0 ? [`${report.replaced} byte sequences were no characters and became U+FFFD`] : []),
    `channel ${report.channelId} of guild ${report.guildId} now ends at ordinal ${report.head}`,
  ].join('\n');
};

export interface ImportOptions {
  readonly guild: string;
  readonly channel: string;
  readonly owner?: string;
  readonly day?: string;
  readonly encoding?: string;
  readonly guessReplies?: true;
}

/** @throws WrongUsage for a name that a server would refuse, too */
const checkNames = ({ guild, channel }: ImportOptions): void => {
  const [wrongGuild, wrongChannel] = [wrongIn(GuildName, guild), wrongIn(ChannelName, channel)];
  if (wrongGuild !== undefined) throw new WrongUsage(`--guild: given ${JSON.stringify(guild)}. ${wrongGuild}`);
  if (wrongChannel !== undefined) throw new WrongUsage(`--channel: given ${JSON.stringify(channel)}. ${wrongChannel}`);
};

/** @throws WrongUsage */
const toldDay = (day: string | undefined, files: number): number | undefined => {
  if (day === undefined) return undefined;
  const time = /^\d{4}-\d\d-\d\d$/.test(day) ? dateInName(day) : undefined;
  if (time === undefined)
    throw new WrongUsage(`--day: given ${JSON.stringify(day)}. Must be a date YYYY-MM-DD since 1988`);
  if (files > 1) throw new WrongUsage('--day is the day of one file: import the files one by one');
  return time;
};

export const importCommand = (paths: string[], options: ImportOptions): Promise<void> =>
  reported(async () => {
    checkNames(options);
    const { guild, channel, owner, encoding, guessReplies } = options;
    const told = { day: toldDay(options.day, paths.length), encoding };
    const files = await openIrcFiles(paths, systemClock.wallTime(), told);
    await withCore(
      async (core) => {
        const bar = progress('importing', 'lines');
        const target = { guild, channel, owner, guessReplies };
        const report = await importIrc(core, { files, ...target, onProgress: bar.at }).finally(() => bar.end());
        say(summary(files, report));
      },
      { withoutLog: NOBODY_REGISTERED },
    );
  });

export const logExport = (folder: string): Promise<void> =>
  reported(async () => {
    const { openSource } = await import('../archive/place.ts');
    const { log, vault, close } = await openSource(configured(), wait);
    try {
      const { events, streams } = await shown({ exporting: 'positions' }, (at) =>
        exportLog({ log, vault, folder, onProgress: (done, total) => at('exporting', done, total) }),
      );
      say(`${counted(events, 'event')} of ${counted(streams, 'stream')} and the vault are in ${folder}`);
      say('Whoever has this folder can read everything and sign in as everybody: keep it as you keep passwords.');
    } finally {
      await close();
    }
  });

export const logImport = (folder: string): Promise<void> =>
  reported(async () => {
    const config = configured();
    const archive = await shown({ checking: 'events' }, (at) =>
      checkArchive(folder, (done, total) => at('checking', done, total)),
    );
    const { openTarget } = await import('../archive/place.ts');
    const { log, vault, close } = await openTarget(config, wait);
    try {
      const { events, streams, known } = await shown({ importing: 'events', verifying: 'positions' }, (onProgress) =>
        importLog({ archive, log, vault, onProgress }),
      );
      const former = known === 0 ? '' : `, ${known.toLocaleString('en')} were there from an earlier try`;
      say(`${counted(events - known, 'event')} added${former}`);
      say(`${counted(streams, 'stream')}, each with the checksum of the archive`);
      say('The log has a new epoch: clients begin anew.');
      say(
        config.profile === 'embedded'
          ? 'The views are rebuilt at the next start.'
          : 'The views fill themselves from the log once the cluster runs.',
      );
    } finally {
      await close();
    }
  });
