/** `parley restore <folder>` */

import { systemClock } from '../../schemas/clock.ts';
import { restoreFolder } from '../embedded/restore.ts';
import { configured, counted, reported, say, wait } from './terminal.ts';

export const restoreCommand = (from: string, { acceptLoss = false }: { acceptLoss?: boolean }): Promise<void> =>
  reported(async () => {
    const { profile, data } = configured();
    if (profile !== 'embedded')
      throw new Error('in a cluster the backups of its servers are restored: see docs/cluster.md');
    const { head, inPlace } = await restoreFolder({ from, data, acceptLoss, clock: systemClock, say: wait });
    say(`${data} holds ${counted(head, 'event')}${inPlace ? '' : ` from ${from}`}.`);
    say('The log has a new epoch: clients begin anew.');
  });
