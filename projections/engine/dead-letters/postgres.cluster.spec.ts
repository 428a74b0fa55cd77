import { expect, it } from 'vitest';
import { systemClock } from '../../../schemas/clock.ts';
import { createDatabase } from '../../../services/testing.ts';
import { openPostgres } from '../../../stores/postgres/connection.ts';
import { deadLettersContract } from './contract.ts';
import { openDeadLetters } from './postgres.ts';

deadLettersContract('PostgreSQL', async () => {
  const database = await createDatabase('views');
  const client = await openPostgres({ clock: systemClock, url: database.url });
  let time = 0;
  return {
    letters: await openDeadLetters(client, () => time),
    setTime: (now) => {
      time = now;
    },
    async dispose() {
      await client.close();
      await database.drop();
    },
  };
});

it('processes that start together create the table of dead letters once', async () => {
  const database = await createDatabase('views');
  const client = await openPostgres({ clock: systemClock, url: database.url });
  const opened = await Promise.all([1, 2, 3, 4].map(() => openDeadLetters(client, systemClock.wallTime)));
  expect(await opened[3]!.list()).toEqual([]);
  await client.close();
  await database.drop();
});
