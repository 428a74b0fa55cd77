/** Layout of the log in PostgreSQL, and the one function that appends. A step never changes once released. */

import { LOCKS } from '../../stores/postgres/locks.ts';
import { type Migrations, sqlStep } from '../../stores/postgres/migrations.ts';

export const CHANNEL = 'parley_log';

/**
 * `parley_append` checks every batch of a turn against the streams' heads and stores those that fit, in one round trip.
 * Its lock is released when the transaction has become visible, so readers see positions in the order assigned: never
 * one before all lower ones. A stream's head is first searched at and beyond what its writer expects, `lowest`: a
 * search for the highest of all would scan a page of the index (10 us a stream).
 *
 * If all heads are as expected and every stream's batches follow each other (`chained`), all are stored and only their
 * positions are returned. Otherwise each batch is decided alone. When tried `again` after a lost answer, a batch that
 * does not fit counts as stored if exactly its events are there.
 */
const TABLES = `
CREATE TABLE IF NOT EXISTS parley_log (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  format integer NOT NULL,
  epoch text NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
  position bigint PRIMARY KEY,
  stream text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  type text NOT NULL,
  schema integer NOT NULL,
  time bigint NOT NULL,
  id text NOT NULL,
  actor text NOT NULL,
  key text,
  correlation text NOT NULL,
  causation text,
  traceparent text,
  data text NOT NULL,
  UNIQUE (stream, sequence)
);
CREATE INDEX IF NOT EXISTS events_of_structure ON events (type, position)
  WHERE type NOT IN ('message-posted', 'message-edited', 'message-deleted', 'reaction-added', 'reaction-removed', 'channels-read');

CREATE OR REPLACE FUNCTION parley_append(
  names text[], lowest bigint[], chained boolean,
  batch_stream integer[], batch_expected bigint[], batch_before integer[], batch_count integer[],
  event_batch integer[], event_place integer[],
  event_type text[], event_schema integer[], event_time bigint[], event_id text[], event_actor text[],
  event_key text[], event_correlation text[], event_causation text[], event_traceparent text[], event_data text[],
  again boolean, OUT stored boolean[], OUT actual bigint[], OUT first_position bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
  heads bigint[];
  head bigint;
  next_position bigint;
  firsts bigint[] := '{}';
  known bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(${LOCKS.append.join(', ')});
  SELECT coalesce(max(e.position), 0) + 1 INTO next_position FROM events e;
  SELECT array_agg(coalesce(
      (SELECT e.sequence FROM events e WHERE e.stream = n.name AND e.sequence >= n.lowest ORDER BY e.sequence DESC LIMIT 1),
      (SELECT max(e.sequence) FROM events e WHERE e.stream = n.name), 0) ORDER BY n.i)
    INTO heads FROM unnest(names, lowest) WITH ORDINALITY n(name, lowest, i);
  IF chained AND heads = lowest THEN
    SELECT array_agg(next_position + b.before ORDER BY b.i) INTO firsts FROM unnest(batch_before) WITH ORDINALITY b(before, i);
    first_position := firsts;
  ELSE
    -- Assigned to one by one, an array begins where the first was assigned.
    first_position := array_fill(NULL::bigint, ARRAY[cardinality(batch_stream)]);
    FOR b IN 1 .. cardinality(batch_stream) LOOP
      head := heads[batch_stream[b]];
      actual[b] := head;
      stored[b] := head = batch_expected[b];
      IF stored[b] THEN
        firsts[b] := next_position;
        first_position[b] := next_position;
        heads[batch_stream[b]] := head + batch_count[b];
        next_position := next_position + batch_count[b];
      ELSIF again AND head >= batch_expected[b] + batch_count[b] THEN
        SELECT e.position INTO known FROM events e
          WHERE e.stream = names[batch_stream[b]] AND e.sequence = batch_expected[b] + batch_count[b]
            AND e.id = event_id[batch_before[b] + batch_count[b]] AND e.data = event_data[batch_before[b] + batch_count[b]];
        IF FOUND THEN
          stored[b] := true;
          first_position[b] := known - batch_count[b] + 1;
        END IF;
      END IF;
    END LOOP;
  END IF;
  IF cardinality(firsts) > 0 THEN
    INSERT INTO events
      SELECT firsts[e.batch] + e.place, names[batch_stream[e.batch]], batch_expected[e.batch] + 1 + e.place,
        e.type, e.schema, e.time, e.id, e.actor, e.key, e.correlation, e.causation, e.traceparent, e.data
      FROM unnest(event_batch, event_place, event_type, event_schema, event_time, event_id, event_actor, event_key,
        event_correlation, event_causation, event_traceparent, event_data)
        e(batch, place, type, schema, time, id, actor, key, correlation, causation, traceparent, data)
      WHERE firsts[e.batch] IS NOT NULL;
    PERFORM pg_notify('${CHANNEL}', '');
  END IF;
END $$;
`;

export const LOG_MIGRATIONS: Migrations = {
  of: 'The event log',
  table: 'parley_log_migrations',
  lock: LOCKS.logTables,
  steps: {
    /** Accepts tables from before migrations existed. */
    '001-tables': sqlStep(TABLES),
  },
};
