import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { createDatabase, type TestDatabase } from '../../services/testing.ts';
import { formerDatabase, inDatabase, layoutOf } from '../../stores/postgres/testing.ts';
import type { EventLog } from '../port.ts';
import { batch, stored } from '../testing.ts';
import { openPostgresEventLog } from './event-log.ts';

const open: { close(): Promise<unknown> }[] = [];
const opened = async (url: string): Promise<EventLog> => {
  const log = await openPostgresEventLog({ clock: systemClock, url });
  open.push(log);
  return log;
};

const LINES = 'SELECT row_to_json(e)::text AS line FROM events e ORDER BY position';
const TABLES = '^(events|parley_log)$';

describe('a log from before migrations existed', () => {
  let former: TestDatabase;
  beforeEach(async () => {
    former = await formerDatabase();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.close();
    await former.drop();
  });

  it('is read unchanged, and continues where it ended', async () => {
    const lines = await inDatabase<{ line: string }>(former.url, LINES);
    const [{ epoch }] = (await inDatabase<{ epoch: string }>(former.url, 'SELECT epoch FROM parley_log')) as [
      { epoch: string },
    ];
    const log = await opened(former.url);
    expect(log.epoch).toBe(epoch);
    const { events, through } = await log.readAll({ after: 0, limit: 1000 });
    expect(events).toHaveLength(lines.length);
    expect(await log.head()).toBe(through);
    const { stream, sequence } = events.at(-1)!;
    const [next] = stored(await log.append(batch('channel-1', 0, 1)));
    expect(next!.position).toBe(through + 1);
    expect(await log.append(batch(stream, sequence - 1, 1))).toMatchObject({
      left: { kind: 'conflict', actual: sequence },
    });
    expect((await inDatabase(former.url, LINES)).slice(0, lines.length)).toEqual(lines);
  });

  it('is migrated once, however many processes start and however often', async () => {
    const logs = await Promise.all(Array.from({ length: 8 }, () => opened(former.url)));
    expect(new Set(logs.map(({ epoch }) => epoch)).size).toBe(1);
    await opened(former.url);
    const steps = await inDatabase<{ name: string }>(former.url, 'SELECT name FROM parley_log_migrations');
    expect(steps).toEqual([{ name: '001-tables' }]);
  });

  it('gets the layout of a new log', async () => {
    const fresh = await createDatabase();
    const log = await openPostgresEventLog({ clock: systemClock, url: fresh.url });
    await opened(former.url);
    const layout = await layoutOf(fresh.url, TABLES);
    expect(await layoutOf(former.url, TABLES)).toEqual(layout);
    expect(layout.join('\n')).toMatch(/parley_append/);
    await log.close();
    await fresh.drop();
  });

  it('of a newer Parley is refused with an error that says so', async () => {
    await opened(former.url);
    await inDatabase(former.url, `INSERT INTO parley_log_migrations VALUES ('999-later', 'now')`);
    await expect(openPostgresEventLog({ clock: systemClock, url: former.url })).rejects.toThrow(
      /^The event log is a newer Parley's: .*999-later/,
    );
  });
});

it('an empty database becomes a log when many processes start at once', async () => {
  const database = await createDatabase();
  const logs = await Promise.all(
    Array.from({ length: 8 }, () => openPostgresEventLog({ clock: systemClock, url: database.url })),
  );
  expect(new Set(logs.map(({ epoch }) => epoch)).size).toBe(1);
  stored(await logs[0]!.append(batch('channel-1', 0, 2)));
  expect(await logs[7]!.head()).toBe(2);
  for (const log of logs) await log.close();
  await database.drop();
});
