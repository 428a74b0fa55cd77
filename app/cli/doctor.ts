/** `parley doctor --log` */

import { checkLog } from '../../log/sqlite/check.ts';
import { systemClock } from '../../schemas/clock.ts';
import { configured, counted, reported, say, shown } from './terminal.ts';

/** Makes the command's exit code report damage. */
class Damaged extends Error {}

export const doctorCommand = (): Promise<void> =>
  reported(async () => {
    const { profile, data } = configured();
    if (profile !== 'embedded')
      throw new Error('parley doctor checks the log of a data folder: leave PARLEY_PROFILE out');
    const { events, findings, count } = await shown({ checking: 'positions' }, (at) =>
      checkLog({
        directory: data,
        clock: systemClock,
        onProgress: (through, head) => at('checking', through, head),
      }),
    );
    for (const finding of findings) say(finding);
    if (count > findings.length) say(`and ${count - findings.length} more`);
    if (count > 0)
      throw new Damaged(
        `log.db is damaged: ${counted(count, 'finding')}${events === 0 ? '' : ` in ${counted(events, 'event')}`}. Put back a backup: parley restore <folder>`,
      );
    say(`log.db is whole: ${counted(events, 'event')}, every page and every event checked.`);
  });
