import { expect, it } from 'vitest';
import { FeedNames } from './redis.ts';

const names = new FeedNames('parley');

it('all channels of a partition share a Redis Cluster slot: their hash tags are equal', () => {
  expect(names.of(7, 'manifest')).toBe('{parley:feed:7}:manifest');
  expect(names.of(7, 'c:30')).toBe('{parley:feed:7}:c:30');
});

it.each(['manifest', 'structure', 'c:30', 'u:10'])('%s survives encoding and decoding', (name) => {
  expect(names.parse(names.of(12, name))).toEqual({ partition: 12, name });
});

it.each(['{other:feed:1}:manifest', 'parley', '{parley:feed:1', ''])('%j is ignored as foreign', (name) => {
  expect(names.parse(name)).toBeUndefined();
});
