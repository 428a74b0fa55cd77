import { expect, it } from 'vitest';
import { Story } from '../testing.ts';
import { cutAtRightsChanges } from './rest.ts';

const lengths = (story: Story) => cutAtRightsChanges(story.since(0)).map((batch) => batch.length);

it('a batch ends right after each event that changes who may see what', () => {
  const story = new Story();
  story.user('10');
  story.post('30', '10');
  story.post('30', '10');
  story.join('20', '11');
  story.leave('20', '11');
  story.read('10', { '30': 1 });
  expect(lengths(story)).toEqual([1, 3, 1, 1]);
});

it('a batch without such an event stays whole', () => {
  const story = new Story();
  for (let n = 0; n < 5; n += 1) story.post('30', '10');
  expect(lengths(story)).toEqual([5]);
});

it('a batch that ends with such an event has no empty one after it', () => {
  const story = new Story();
  story.post('30', '10');
  story.direct('40', '10', '11');
  expect(lengths(story)).toEqual([2, 1]);
});
