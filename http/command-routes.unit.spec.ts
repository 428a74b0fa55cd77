import { either } from 'fp-ts';
import { expect, it } from 'vitest';
import { commands } from '../commands/features/index.ts';
import type { CommandBus, CommandContext } from '../commands/port.ts';
import type { AnswerPresenter } from '../presenter/answers.ts';
import { systemClock } from '../schemas/clock.ts';
import { parleyError } from '../schemas/errors.ts';
import { commandRoutes } from './command-routes.ts';

const TRACED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** What the command is submitted with, and the answer. */
const asked = async (headers: Readonly<Record<string, string | undefined>>) => {
  const contexts: CommandContext[] = [];
  const bus: CommandBus = {
    commands,
    submit: async (context) => {
      contexts.push(context);
      return { outcome: either.left(parleyError('unknownChannel')), limit: undefined };
    },
  };
  const answer = await commandRoutes(bus, {} as AnswerPresenter, systemClock)[0]!.handle({
    ...{
      params: {},
      query: {},
      body: {},
      headers,
      address: '',
      correlationId: 'c',
      isGone: () => false,
      idempotencyKey: null,
    },
    actor: { userId: '1', kind: 'person', administrator: false },
  });
  return { contexts, answer };
};

it.each([
  [TRACED, TRACED],
  ['nonsense', undefined],
  [`${TRACED}-more`, undefined],
  [undefined, undefined],
])('the traceparent %s reaches the command as %s', async (traceparent, expected) => {
  const { contexts } = await asked({ traceparent });
  expect(contexts.map((context) => context.traceparent)).toEqual([expected]);
});

it.each([
  ['spam%20%E2%9C%93', 'spam ✓'],
  ['100% spam', '100% spam'],
  ['', undefined],
  [undefined, undefined],
  [encodeURIComponent('漢'.repeat(512)), '漢'.repeat(512)],
])('the reason %s reaches the command as %s', async (header, expected) => {
  const { contexts } = await asked({ 'x-audit-log-reason': header });
  expect(contexts.map(({ reason }) => reason)).toEqual([expected]);
});

it.each([['a'.repeat(513)], ['%00']])('the reason %s is refused by its name', async (header) => {
  const { contexts, answer } = await asked({ 'x-audit-log-reason': header });
  expect(contexts).toEqual([]);
  expect(answer).toMatchObject({ left: { code: 50035, errors: { 'X-Audit-Log-Reason': { _errors: [{}] } } } });
});
