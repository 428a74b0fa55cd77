import { afterAll, beforeAll } from 'vitest';
import { timelineContract } from '../contract.ts';
import { smallTimelines, type TestCassandra, testCassandra } from './testing.ts';

let cassandra: TestCassandra;
beforeAll(async () => {
  cassandra = await testCassandra();
});
afterAll(() => cassandra.drop());

const on = (bucketSize: number) =>
  timelineContract(`Cassandra, ${bucketSize} messages in a bucket`, async () =>
    smallTimelines(cassandra.client, await cassandra.generation(), bucketSize),
  );

on(5000);
on(2);
