import { expect, it } from 'vitest';
import { type NamedMessage, sentTogether } from './together.ts';

const named = (...texts: string[]): NamedMessage[] => texts.map((text) => ({ name: 'channel', text }));

it('what is published in one turn is sent once, in order; what comes later, later', async () => {
  const sent: string[][] = [];
  const publish = sentTogether(async (messages) => {
    sent.push(messages.map(({ text }) => text));
    return messages.map(() => null);
  });
  await Promise.all([publish(named('1', '2')), Promise.resolve().then(() => publish(named('3')))]);
  await publish(named('4'));
  expect(sent).toEqual([['1', '2', '3'], ['4']]);
});

it('a message that fails is the failure of its own publisher', async () => {
  const failure = new Error('no');
  const publish = sentTogether(async (messages) => messages.map(({ text }) => (text === 'bad' ? failure : null)));
  const results = await Promise.allSettled([publish(named('1')), publish(named('2', 'bad', '3')), publish(named('4'))]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(results[1]).toMatchObject({ reason: failure });
});

it('a connection that fails is the failure of all of them, and of nobody later', async () => {
  let failing = true;
  const publish = sentTogether(async (messages) => {
    if (failing) throw new Error('gone');
    return messages.map(() => null);
  });
  const results = await Promise.allSettled([publish(named('1')), publish(named('2'))]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  failing = false;
  await publish(named('3'));
});
