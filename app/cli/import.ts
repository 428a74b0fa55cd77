/** `parley import irc <files...>` */
import { type ImportReport, importIrc } from '../import/irc-import.ts';
import { reported, say } from './configured.ts';
import { withCore } from './offline.ts';
import { progress } from './progress.ts';

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

export const importCommand = (paths: string[], options: { guild: string; channel: string }): Promise<void> =>
  reported(() =>
    withCore(async (core) => {
      const bar = progress('importing', 'lines');
      const report = await importIrc(core, { paths, ...options, onProgress: bar.at });
      bar.end();
      say(summary(report));
    }),
  );
