import { expect, it } from 'vitest';
import { UnreadableEvent } from '../../schemas/events/catalogue.ts';
import { Story } from '../testing.ts';
import { decodeManifest, decodeSaid, encodeTyping, UnreadableMessage } from './payloads.ts';
import { messagesOf } from './publish.ts';

const NUMBERS = { from: 3, to: 5, through: 9 };

it('events survive encoding and decoding, with message text still sealed', () => {
  const story = new Story();
  story.post('30', '10');
  story.join('20', '10');
  const [said, structure, manifest] = messagesOf(story.log.all, NUMBERS);
  expect(decodeSaid(said!.text)).toEqual({ ...NUMBERS, events: [story.log.all[0]] });
  expect(decodeSaid(structure!.text)).toEqual({ ...NUMBERS, events: [story.log.all[1]] });
  expect(decodeManifest(manifest!.text)).toEqual({ ...NUMBERS, channels: ['c:30', 'structure'] });
});

it('a batch without events is a manifest', () => {
  expect(messagesOf([], NUMBERS).map(({ channel }) => channel)).toEqual(['manifest']);
});

it('typing survives encoding and decoding', () => {
  const typing = { channelId: '30', guildId: null, userId: '10', time: 5 };
  expect(decodeSaid(encodeTyping(typing))).toEqual({ typing });
});

it.each(['', 'null', '{}', '{"typing":{}}', '{"from":1,"to":1,"through":"1","events":[]}'])('%j is refused', (text) => {
  expect(() => decodeSaid(text)).toThrow(UnreadableMessage);
  expect(() => decodeManifest(text)).toThrow(UnreadableMessage);
});

it('an event of a newer version is refused', () => {
  const text = JSON.stringify({ ...NUMBERS, events: [{ type: 'guild-painted', schema: 1, position: 4, data: {} }] });
  expect(() => decodeSaid(text)).toThrow(UnreadableEvent);
});
