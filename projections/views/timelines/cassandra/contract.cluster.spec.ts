import { afterAll, beforeAll } from 'vitest';
import { timelineContract } from '../contract.ts';
import { type SmallTimelines, smallTimelines, type TestCassandra, testCassandra } from './testing.ts';

let cassandra: TestCassandra;
beforeAll(async () => {
  cassandra = await testCassandra();
});
afterAll(() => cassandra.drop());

// Creating tables takes Cassandra most of a second, so the tests of one bucket size share theirs.
const on = (bucketSize: number) => {
  let shared: SmallTimelines | undefined;
  timelineContract(`Cassandra, ${bucketSize} messages in a bucket`, async () => {
    shared ??= smallTimelines(cassandra.client, await cassandra.generation(), bucketSize);
    return { ...shared, close: async () => {} };
  });
};

on(5000);
on(2);
