/** `parley bot create`: creates an application with its bot and token. */

import { randomUUID } from 'node:crypto';
import { either } from 'fp-ts';
import type { Answer } from '../../commands/port.ts';
import type { Core } from '../embedded/core.ts';
import { refusalText } from './refusal.ts';
import { type RemoteServer, type ServerOptions, serverAt, withCore } from './remote.ts';
import { reported, say } from './terminal.ts';

interface BotOptions extends ServerOptions {
  readonly name: string;
  readonly guild?: string;
}

interface Created {
  readonly id: string;
  readonly bot: { readonly token: string };
}

/** Before the bot is let in, which may be refused: the bot is there then, and its token is not shown again. */
const tell = ({ id, bot: { token } }: Created): void => {
  say(`application ${id}`);
  say(`token ${token}`);
  say('The token is shown this once: keep it as you keep passwords.');
};

const throughServer = async (server: RemoteServer, { name, guild }: BotOptions): Promise<void> => {
  const created = await server.post<Created>('/applications', { name });
  tell(created);
  if (guild !== undefined) await server.post(`/guilds/${guild}/bots`, { application_id: created.id });
};

/** Acts as the administrator, since anyone who can write to the folder can do anything anyway. */
const inFolder = async (core: Core, { name, guild }: BotOptions): Promise<void> => {
  const [userId] = await core.views.guilds.administrators();
  if (userId === undefined) throw new Error('nobody has registered yet: the first person owns the first bot');
  const submit = async (type: string, fields: object): Promise<Answer> => {
    const { outcome } = await core.write.bus.submit(
      {
        actor: { userId, kind: 'person', administrator: true },
        key: null,
        counted: true,
        correlationId: randomUUID(),
      },
      type,
      fields,
    );
    if (either.isLeft(outcome)) throw new Error(refusalText(outcome.left));
    return outcome.right.answer;
  };
  const created = await submit('application.create', { name });
  if (created.kind !== 'application' || created.token === null) throw new Error('no application was made');
  const { id, token } = created;
  tell({ id, bot: { token } });
  if (guild !== undefined) await submit('bot.add', { guild_id: guild, application_id: id });
};

export const botCreate = (options: BotOptions): Promise<void> =>
  reported(async () => {
    const server = serverAt(options);
    await (server === undefined ? withCore((core) => inFolder(core, options)) : throughServer(server, options));
    if (options.guild !== undefined) say(`The bot is in the guild ${options.guild}.`);
  });
