/** What a command answers, as the client that gave it is shown it. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type { Answer } from '../commands/port.ts';
import { type ParleyError, parleyError } from '../schemas/errors.ts';
import type { Presenter } from './presenter.ts';

export type AnswerPresenter = Pick<
  Presenter,
  'posted' | 'edited' | 'messages' | 'guild' | 'channel' | 'invite' | 'user'
>;

const render = async (presenter: AnswerPresenter, answer: Answer): Promise<unknown> => {
  switch (answer.kind) {
    case 'nothing':
      return null;
    case 'marked':
      return { token: null };
    case 'posted':
      return presenter.posted(answer.event, answer.guildId, answer.said);
    case 'edited':
      return presenter.edited(answer.event, answer.guildId);
    case 'row':
      return (await presenter.messages([answer.row]))[0];
    case 'guild': {
      const { guild, channels, viewer } = answer;
      const shown = channels.map((channel) => presenter.channel(channel, viewer));
      return { ...presenter.guild(guild), channels: await Promise.all(shown) };
    }
    case 'channel':
      return presenter.channel(answer.channel, answer.viewer, answer.head);
    case 'invite':
      return presenter.invite(answer.invite);
    case 'application': {
      const { id, name, ownerId, token } = answer;
      return { id, name, owner: { id: ownerId }, bot: { ...(await presenter.user(id)), token } };
    }
  }
};

/** @returns the JSON that HTTP and op 101 carry; an edited message that is gone by now is unknown. */
export const presentAnswer = async (
  presenter: AnswerPresenter,
  answer: Answer,
): Promise<Either<ParleyError, unknown>> => {
  const shown = await render(presenter, answer);
  return answer.kind === 'edited' && shown === undefined
    ? either.left(parleyError('unknownMessage'))
    : either.right(shown);
};
