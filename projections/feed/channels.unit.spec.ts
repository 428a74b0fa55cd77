import { expect, it } from 'vitest';
import { audiencesOf } from '../../schemas/events/catalogue.ts';
import { partitionOf } from '../engine/partitions.ts';
import { Story } from '../testing.ts';
import { feedChannelOf, feedOf, STRUCTURE } from './channels.ts';

const PARTITIONS = 7;

const everything = () => {
  const story = new Story();
  story.user('10');
  story.guild('20', '10');
  story.channel('30', '20');
  story.direct('40', '10', '11');
  story.invite('code', '20', '30', '10');
  story.redeem('code', '20', '11');
  story.join('20', '11');
  story.post('30', '10');
  story.edit('30', 1, '10');
  story.react('30', 1, '11', '👍');
  story.unreact('30', 1, '11', '👍');
  story.remove('30', 1, '10');
  story.read('11', { '30': 1 });
  story.leave('20', '11');
  return story.log.all;
};

it.each(everything())('$type reaches every listener of its audience', (event) => {
  const channel = feedChannelOf(event);
  if (channel === STRUCTURE) return;
  const [audience, ...others] = audiencesOf(event);
  expect(others).toEqual([]);
  // In the partition whose manifests list it.
  expect(feedOf(audience!, PARTITIONS)).toEqual({ partition: partitionOf(event.stream, PARTITIONS), name: channel });
});

it('only messages and read markers have channels of their own', () => {
  const own = everything().filter((event) => feedChannelOf(event) !== STRUCTURE);
  expect(own.map(({ type }) => type)).toEqual([
    'message-posted',
    'message-edited',
    'reaction-added',
    'reaction-removed',
    'message-deleted',
    'channels-read',
  ]);
});

it('a guild needs no subscription', () => {
  expect(feedOf('guild:20', PARTITIONS)).toBeUndefined();
});
