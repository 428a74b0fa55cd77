/** The HTTP writes. Each is a command of the same name that takes its fields from path and body. */

import { either } from 'fp-ts';
import type * as t from 'io-ts';
import type { CommandBus, CommandShape } from '../commands/port.ts';
import { type AnswerPresenter, presentAnswer } from '../presenter/answers.ts';
import type { Clock } from '../schemas/clock.ts';
import { traceparentOf } from '../schemas/codecs.ts';
import { type Route, type RouteRequest, route } from '../schemas/http/route.ts';
import { reasonGiven, unescapedReason } from '../schemas/reason.ts';
import { limitHeaders } from './errors.ts';

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** The codec of a list that is the whole body. */
const listIn = (body: t.Mixed | undefined, field: string): t.Mixed => (body as t.InterfaceType<t.Props>).props[field]!;

const REASON = 'X-Audit-Log-Reason';

const reasonIn = (headers: RouteRequest<unknown, unknown, unknown>['headers']) => {
  const header = headers[REASON.toLowerCase()];
  return reasonGiven(REASON, typeof header === 'string' ? unescapedReason(header) : undefined);
};

const routesOf = (
  bus: CommandBus,
  presenter: AnswerPresenter,
  clock: Clock,
  command: CommandShape,
): readonly Route[] => {
  const { type, summary, params, query } = command;
  const { method, path, formerPath, bodyIs, needsBody, status, answers, ours = false } = command.route;
  const body = bodyIs === undefined ? command.body : listIn(command.body, bodyIs);
  const handle = async (request: RouteRequest<unknown, unknown, unknown>) => {
    const traceparent = traceparentOf(request.headers.traceparent);
    const reason = reasonIn(request.headers);
    if (either.isLeft(reason)) return reason;
    const context = {
      actor: request.actor,
      key: request.idempotencyKey,
      counted: true,
      correlationId: request.correlationId,
      reason: reason.right,
      ...(traceparent === undefined ? {} : { traceparent }),
    };
    // The path's fields override the body's, and those the query's.
    const ofBody = bodyIs === undefined ? record(request.body) : { [bodyIs]: request.body };
    const fields = { ...record(request.query), ...ofBody, ...record(request.params) };
    const { outcome, limit } = await bus.submit(context, type, fields);
    if (either.isLeft(outcome)) return outcome;
    const headers = limit === undefined ? {} : limitHeaders(limit, clock.wallTime());
    if (status === 204) return either.right({ status, headers });
    const shown = await presentAnswer(presenter, outcome.right.answer);
    if (either.isLeft(shown)) return shown;
    return either.right({ status: shown.right.accepted ? 202 : status, body: shown.right.shown, headers });
  };
  const at = (where: string): Route =>
    route({
      method,
      path: where,
      summary,
      access: 'user',
      ours,
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { query }),
      ...(body === undefined ? {} : { body }),
      ...(needsBody === undefined ? {} : { needsBody }),
      answers,
      answer: 'answer' in command.route ? command.route.answer : 'nothing',
      status,
      isCommand: true,
      handle,
    });
  return formerPath === undefined ? [at(path)] : [at(path), at(formerPath)];
};

export const commandRoutes = (bus: CommandBus, presenter: AnswerPresenter, clock: Clock): Route[] =>
  bus.commands.flatMap((command) => routesOf(bus, presenter, clock, command));
