import { either } from 'fp-ts';
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { EVENT_TYPES, FREQUENT } from '../../schemas/events/catalogue.ts';
import { createDatabase } from '../../services/testing.ts';
import { LOCKS } from '../../stores/postgres/locks.ts';
import { inDatabase } from '../../stores/postgres/testing.ts';
import { eventLogContract } from '../contract.ts';
import type { AppendRequest } from '../port.ts';
import { batch, newEvent, refusal, stored } from '../testing.ts';
import { openPostgresEventLog } from './event-log.ts';

eventLogContract('PostgreSQL', async () => {
  const database = await createDatabase();
  let log = await openPostgresEventLog({ clock: systemClock, url: database.url });
  return {
    log,
    async reopen() {
      await log.close();
      log = await openPostgresEventLog({ clock: systemClock, url: database.url });
      return log;
    },
    async dispose() {
      await log.close();
      await database.drop();
    },
  };
});

it('the index of types in PostgreSQL leaves out exactly the types the catalogue calls frequent', async () => {
  const database = await createDatabase();
  const log = await openPostgresEventLog({ clock: systemClock, url: database.url });
  try {
    const [index] = await inDatabase<{ predicate: string }>(
      database.url,
      `SELECT pg_get_expr(indpred, indrelid) AS predicate FROM pg_index WHERE indexrelid = 'events_of_structure'::regclass`,
    );
    const words = [...index!.predicate.matchAll(/'([^']+)'::text/g)].map(([, word]) => word);
    // If this list changes, add a migration step beside the one that made the index.
    expect(words.toSorted()).toEqual(FREQUENT.toSorted());
    const left = await inDatabase<{ type: string }>(
      database.url,
      `SELECT type FROM unnest(ARRAY['${EVENT_TYPES.join("','")}']) AS type WHERE ${index!.predicate}`,
    );
    expect(left.map(({ type }) => type)).toEqual(EVENT_TYPES.filter((type) => !FREQUENT.includes(type)));
  } finally {
    await log.close();
    await database.drop();
  }
});

it('the log in PostgreSQL makes small commits at most every 4 ms', async () => {
  const database = await createDatabase();
  const commits: number[] = [];
  const log = await openPostgresEventLog({
    clock: systemClock,
    url: database.url,
    onCommit: (events) => commits.push(events),
  });
  const append = (expected: number, channels: readonly number[]) =>
    Promise.all(
      channels.map((n) =>
        log.append({ stream: `channel-${n}`, expected, events: [newEvent(`channel-${n}`, expected + 1)] }),
      ),
    );
  try {
    const began = performance.now();
    for (let expected = 0; expected < 10; expected += 1) await append(expected, [1, 2, 3]);
    // Timers can fire a millisecond early.
    expect(performance.now() - began).toBeGreaterThan(9 * (4 - 1));
    expect(commits).toEqual(Array.from({ length: 10 }, () => 3));
  } finally {
    await log.close();
    await database.drop();
  }
});

it('the log in PostgreSQL says that an outcome is unknown only where an answer was lost and no later try told', async () => {
  const database = await createDatabase();
  let late = 0;
  // After a lost answer there is no time left for another try.
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + late };
  const log = await openPostgresEventLog({ clock, url: database.url });
  const holder = new Client(database.url);
  try {
    stored(await log.append(batch('channel-1', 0)));
    await holder.connect();
    const waiting = async () => {
      await holder.query(`SELECT pg_advisory_lock(${LOCKS.append.join(', ')})`);
      const appended = log.append(batch('channel-1', 1));
      for (;;) {
        const { rows } = await holder.query(
          `SELECT pid FROM pg_stat_activity WHERE application_name = 'parley log' AND wait_event_type = 'Lock' AND datname = current_database()`,
        );
        if (rows.length > 0) return { appended, pid: rows[0].pid as number };
      }
    };
    const release = () => holder.query('SELECT pg_advisory_unlock_all()');

    const lost = await waiting();
    late = 60_000;
    await holder.query(`SELECT pg_terminate_backend(${lost.pid})`);
    expect(refusal(await lost.appended)).toMatchObject({ kind: 'unknown' });
    await release();

    const undone = await waiting();
    late += 60_000;
    await holder.query(`SELECT pg_cancel_backend(${undone.pid})`);
    expect(refusal(await undone.appended)).toMatchObject({ kind: 'unavailable' });
    await release();

    const retried = await waiting();
    await holder.query(`SELECT pg_terminate_backend(${retried.pid})`);
    await release();
    stored(await retried.appended);
    expect((await log.streamHead('channel-1')).sequence).toBe(2);
  } finally {
    await holder.end();
    await log.close();
    await database.drop();
  }
});

it('the log in PostgreSQL refuses only a batch that can never be stored, and stores the rest of its commit', async () => {
  const database = await createDatabase();
  const log = await openPostgresEventLog({ clock: systemClock, url: database.url });
  const unspeakable = [
    { ...newEvent('channel-2', 1), time: 2 ** 64 },
    { ...newEvent('channel-3', 1), data: { messageId: 1n } as never },
  ];
  const requests: AppendRequest[] = [
    batch('channel-1', 0, 2),
    { stream: 'channel-2', expected: 0, events: [unspeakable[0]!] },
    batch('channel-1', 2),
    { stream: 'channel-3', expected: 0, events: [unspeakable[1]!] },
    batch('channel-4', 1),
    batch('channel-1', 3),
  ];
  try {
    const answers = await Promise.all(requests.map((request) => log.append(request)));
    const kinds = answers.map((answer) => (either.isLeft(answer) ? answer.left.kind : 'stored'));
    expect(kinds).toEqual(['stored', 'refused', 'stored', 'refused', 'conflict', 'stored']);
    const { events } = await log.readAll({ after: 0, limit: 10 });
    expect(events.map(({ stream, sequence }) => `${stream} ${sequence}`)).toEqual([
      'channel-1 1',
      'channel-1 2',
      'channel-1 3',
      'channel-1 4',
    ]);
  } finally {
    await log.close();
    await database.drop();
  }
});
