import { either } from 'fp-ts';
import { expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { EVENT_TYPES, FREQUENT } from '../../schemas/events/catalogue.ts';
import { createDatabase } from '../../services/testing.ts';
import { inDatabase } from '../../stores/postgres/testing.ts';
import { eventLogContract } from '../contract.ts';
import type { AppendRequest } from '../port.ts';
import { batch, newEvent } from '../testing.ts';
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

it('the log in PostgreSQL refuses only a batch that can never be stored, and stores the rest of its commit', async () => {
  const database = await createDatabase();
  const log = await openPostgresEventLog({ clock: systemClock, url: database.url });
  const unspeakable = [
    { ...newEvent('channel-2', 1), actor: '\u0000' },
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
    expect(kinds).toEqual(['stored', 'unavailable', 'stored', 'unavailable', 'conflict', 'stored']);
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
