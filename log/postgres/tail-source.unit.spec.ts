import { expect, it } from 'vitest';
import { StoreUnavailable } from '../../schemas/errors.ts';
import type { ReadAll } from '../port.ts';
import { Bell, startTail } from '../tail.ts';
import { type Known, tailSource } from './tail-source.ts';

/** A log whose questions are answered when the spec says so. */
const askedLog = (known?: Known<{ position: number; data: string }>) => {
  const bell = new Bell();
  const questions: { after: number; answer: (positions: readonly number[]) => void; fail: (why: unknown) => void }[] =
    [];
  const read = ({ after }: ReadAll) =>
    new Promise<{ events: readonly { position: number; data: string }[] }>((resolve, reject) => {
      const answer = (positions: readonly number[]) =>
        resolve({ events: positions.map((position) => ({ position, data: '' })) });
      questions.push({ after, answer, fail: reject });
    });
  const seen: number[] = [];
  const onEvents = async (events: readonly { position: number }[]) => {
    for (const { position } of events) seen.push(position);
  };
  const failures: unknown[] = [];
  const tail = startTail(
    tailSource(read, bell, () => false, known),
    0,
    onEvents,
    (failure) => failures.push(failure),
  );
  const turns = async () => {
    for (let n = 0; n < 5; n += 1) await new Promise((next) => setImmediate(next));
  };
  const stop = async () => {
    const stopped = tail.stop();
    bell.ring();
    for (const { answer } of questions) answer([]);
    await stopped;
  };
  return { bell, questions, seen, failures, turns, stop };
};
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

it('asks once for what a commit brings, and not again until the next', async () => {
  const { bell, questions, seen, turns, stop } = askedLog();
  questions[0]!.answer([]);
  await turns();
  expect(questions).toHaveLength(1);
  bell.ring();
  await turns();
  questions[1]!.answer([1, 2]);
  await turns();
  expect(seen).toEqual([1, 2]);
  expect(questions).toHaveLength(2);
  bell.ring();
  await turns();
  expect(questions.map(({ after }) => after)).toEqual([0, 0, 2]);
  await stop();
});

it('asks again for what is committed while a question is under way', async () => {
  const { bell, questions, turns, stop } = askedLog();
  bell.ring();
  questions[0]!.answer([]);
  await turns();
  expect(questions).toHaveLength(2);
  await stop();
});

it('asks for the page after a full one while that one is handed over, and takes it whenever it comes', async () => {
  const { questions, seen, turns, stop } = askedLog();
  questions[0]!.answer(range(1, 1000));
  await turns();
  expect(questions.map(({ after }) => after)).toEqual([0, 1000]);
  questions[1]!.answer(range(1001, 1003));
  await turns();
  expect(seen).toEqual(range(1, 1003));
  expect(questions).toHaveLength(2);
  await stop();
});

it('waits for the next ring while the server is gone, and ends with any other failure', async () => {
  const { bell, questions, failures, turns, stop } = askedLog();
  questions[0]!.fail(new StoreUnavailable('log', 1));
  await turns();
  expect(questions).toHaveLength(1);
  bell.ring();
  await turns();
  expect(questions).toHaveLength(2);
  const failure = new Error('no such table');
  questions[1]!.fail(failure);
  await turns();
  expect(failures).toEqual([failure]);
  await stop();
});

it('asks for nothing that is known, until others may have committed', async () => {
  const events: { position: number; data: string }[] = [];
  const known = {
    after: (position: number) =>
      events.some((event) => event.position === position + 1)
        ? events.filter((event) => event.position > position)
        : undefined,
    others: 0,
  };
  const { bell, questions, seen, turns, stop } = askedLog(known);
  questions[0]!.answer([1]);
  await turns();
  events.push({ position: 2, data: '' });
  bell.ring();
  await turns();
  expect([seen, questions.length]).toEqual([[1, 2], 1]);
  // Another node's event comes first.
  events.push({ position: 4, data: '' });
  bell.ring();
  await turns();
  expect(questions.map(({ after }) => after)).toEqual([0, 2]);
  questions[1]!.answer([3, 4]);
  await turns();
  // Its bell has rung before what is known is taken, and nothing rings again.
  events.push({ position: 5, data: '' });
  known.others += 1;
  bell.ring();
  await turns();
  questions[2]!.answer([5, 6]);
  await turns();
  expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  await stop();
});
