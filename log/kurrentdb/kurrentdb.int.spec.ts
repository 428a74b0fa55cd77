import { systemClock } from '../../schemas/clock.ts';
import { eventLogContract } from '../contract.ts';
import { openKurrentEventLog } from './event-log.ts';
import { StandIn } from './stand-in/testing.ts';

eventLogContract('KurrentDB (a stand-in for it)', async () => {
  const server = await new StandIn().start();
  let log = await openKurrentEventLog({ clock: systemClock, url: server.url });
  return {
    log,
    async reopen() {
      await log.close();
      log = await openKurrentEventLog({ clock: systemClock, url: server.url });
      return log;
    },
    async dispose() {
      await log.close();
      await server.stop();
    },
  };
});
