import { type Client, errors, types } from 'cassandra-driver';
import { describe, expect, it } from 'vitest';
import { TestClock } from '../../schemas/clock.testing.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { BUDGETS } from '../budgets.ts';
import { Guard } from '../guard.ts';
import { Cassandra } from './connection.ts';
import { classify } from './failures.ts';

const { answerMs, triedMs } = BUDGETS.cassandra.schema;
const late = () => new errors.OperationTimedOutError('did not reply');

/** A server that answers each statement with what `answer` returns or throws, and lists a table once `happened`. */
const server = (answer: (statement: number) => Promise<void>) => {
  const clock = new TestClock();
  const told = { statements: 0, happened: false, agrees: true };
  const client = {
    execute: async () => {
      told.statements += 1;
      await answer(told.statements);
    },
    metadata: { checkSchemaAgreement: async () => told.agrees },
  } as unknown as Client;
  const breaker = { timeoutMs: 5000, failureRatio: 0.99, openMs: 30_000 };
  const cassandra = new Cassandra(client, 'test', new Guard('timelines', breaker, classify, clock), clock);
  const define = () => cassandra.define('ALTER TABLE messages ADD type int', async () => told.happened);
  return { clock, told, define };
};

/** Lets time pass until `done` has an outcome. */
const outcome = async (clock: TestClock, done: Promise<void>): Promise<unknown> => {
  let over = false;
  const told = done.then(
    () => undefined,
    (error: unknown) => error,
  );
  void told.then(() => {
    over = true;
  });
  while (!over) await clock.advance(1000);
  return told;
};

describe('a change of the tables in Cassandra', () => {
  it('is tried again when no answer came and it has not happened', async () => {
    const { clock, told, define } = server(async (statement) => {
      if (statement < 3) throw late();
    });
    expect(await outcome(clock, define())).toBeUndefined();
    expect(told.statements).toBe(3);
  });

  it('is done when no answer came, yet it has happened', async () => {
    const { clock, told, define } = server(async () => {
      told.happened = true;
      throw late();
    });
    expect(await outcome(clock, define())).toBeUndefined();
    expect(told.statements).toBe(1);
  });

  it('is done only when all nodes know of it', async () => {
    const { clock, told, define } = server(async (statement) => {
      told.happened = true;
      told.agrees = statement === 2;
      throw late();
    });
    expect(await outcome(clock, define())).toBeUndefined();
    expect(told.statements).toBe(2);
  });

  it('is done when another try is refused because the first one happened after all', async () => {
    const { clock, told, define } = server(async (statement) => {
      if (statement === 1) throw late();
      told.happened = true;
      throw new errors.ResponseError(types.responseErrorCodes.invalid, 'conflicts with an existing column');
    });
    expect(await outcome(clock, define())).toBeUndefined();
    expect(told.statements).toBe(2);
  });

  it('is given up after its time, though an answer may come as late as half of it', async () => {
    const { clock, told, define } = server(async () => {
      await clock.delay(answerMs);
      throw late();
    });
    const began = clock.monotonic();
    expect(await outcome(clock, define())).toBeInstanceOf(StoreUnavailable);
    expect(told.statements).toBeGreaterThanOrEqual(3);
    expect(clock.monotonic() - began).toBeGreaterThanOrEqual(triedMs);
  });

  it('is not tried again when the server refuses it', async () => {
    const refusal = new errors.ResponseError(types.responseErrorCodes.syntaxError, 'no');
    const { clock, told, define } = server(async () => {
      throw refusal;
    });
    expect(await outcome(clock, define())).toBe(refusal);
    expect(told.statements).toBe(1);
  });
});
