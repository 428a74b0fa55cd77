import { either } from 'fp-ts';
import { expect, it } from 'vitest';
import { commands } from '../commands/features/index.ts';
import type { CommandBus, CommandContext } from '../commands/port.ts';
import type { AnswerPresenter } from '../presenter/answers.ts';
import { systemClock } from '../schemas/clock.ts';
import { parleyError } from '../schemas/errors.ts';
import { commandRoutes } from './command-routes.ts';

const TRACED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

it.each([
  [TRACED, TRACED],
  ['nonsense', undefined],
  [`${TRACED}-more`, undefined],
  [undefined, undefined],
])('the traceparent %s reaches the command as %s', async (traceparent, expected) => {
  const contexts: CommandContext[] = [];
  const bus: CommandBus = {
    commands,
    submit: async (context) => {
      contexts.push(context);
      return { outcome: either.left(parleyError('unknownChannel')), limit: undefined };
    },
  };
  await commandRoutes(bus, {} as AnswerPresenter, systemClock)[0]!.handle({
    ...{
      params: {},
      query: {},
      body: {},
      headers: { traceparent },
      address: '',
      correlationId: 'c',
      isGone: () => false,
      idempotencyKey: null,
    },
    actor: { userId: '1', kind: 'person', administrator: false },
  });
  expect(contexts.map((context) => context.traceparent)).toEqual([expected]);
});
