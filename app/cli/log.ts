/** `parley log export | import` */

import { ChannelName } from '../../commands/features/channels.ts';
import { GuildName } from '../../commands/features/guilds.ts';
import { systemClock } from '../../schemas/clock.ts';
import { wrongIn } from '../../schemas/codecs.ts';
import { checkArchive } from '../archive/check.ts';
import { exportLog } from '../archive/export.ts';
import { importLog } from '../archive/import.ts';
import { type ImportReport, importIrc, NOBODY_REGISTERED, openIrcFiles } from '../import/irc.ts';
import { withCore } from './remote.ts';
import { configured, counted, progress, reported, say, shown, WrongUsage, wait } from './terminal.ts';

/** `parley import irc <files...>` */
const summary = (report: ImportReport): string => {
  const { lines } = report;
  const all = Object.values(lines).reduce((sum, count) => sum + count, 0);
  return [
    `${all} lines: ${lines.message + lines.empty} said (${lines.empty} empty), ${lines.action} actions, ${lines.system} system lines, ${lines.other} others`,
    `${report.posted} messages added, ${report.known} known from earlier runs, by ${report.accounts} people`,
    `${report.replaced} byte sequences were not UTF-8 and became U+FFFD`,
    `channel ${report.channelId} of guild ${report.guildId} now ends at ordinal ${report.head}`,
  ].join('\n');
};

interface ImportTarget {
  readonly guild: string;
  readonly channel: string;
}

/** @throws WrongUsage for a name that a server would refuse, too */
const checkNames = ({ guild, channel }: ImportTarget): void => {
  const [wrongGuild, wrongChannel] = [wrongIn(GuildName, guild), wrongIn(ChannelName, channel)];
  if (wrongGuild !== undefined) throw new WrongUsage(`--guild: given ${JSON.stringify(guild)}. ${wrongGuild}`);
  if (wrongChannel !== undefined) throw new WrongUsage(`--channel: given ${JSON.stringify(channel)}. ${wrongChannel}`);
};

export const importCommand = (paths: string[], target: ImportTarget): Promise<void> =>
  reported(async () => {
    checkNames(target);
    const files = await openIrcFiles(paths, systemClock.wallTime());
    await withCore(async (core) => {
      const bar = progress('importing', 'lines');
      const report = await importIrc(core, { files, ...target, onProgress: bar.at });
      bar.end();
      say(summary(report));
    }, NOBODY_REGISTERED);
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
