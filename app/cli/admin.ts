/** `parley admin create`: registers the first person without a server. */

import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { either } from 'fp-ts';
import { RegisterBody } from '../../http/identity-routes.ts';
import { decode } from '../../schemas/codecs.ts';
import { refusalText } from './refusal.ts';
import { withCore } from './remote.ts';
import { configured, reported, say, WrongUsage } from './terminal.ts';

/** From a terminal, which does not show it, or else the first line of standard input. */
const readPassword = async (): Promise<string> => {
  if (!process.stdin.isTTY) return (await text(process.stdin)).split(/\r?\n/, 1)[0]!;
  process.stderr.write('Password (8 to 256 characters): ');
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  terminal.on('SIGINT', () => process.exit(130));
  const password = await terminal.question('');
  terminal.close();
  process.stderr.write('\n');
  return password;
};

export const adminCreate = ({ username }: { readonly username: string }): Promise<void> =>
  reported(async () => {
    const { profile, data } = configured();
    if (profile !== 'embedded')
      throw new Error('in a cluster the first person registers by the link that a process with the role api prints');
    const given = decode(RegisterBody, { username, password: await readPassword() });
    if (either.isLeft(given)) throw new WrongUsage(refusalText(given.left));
    const { password } = given.right;
    await withCore(
      async ({ write: { identity } }) => {
        const setupCode = await identity.setupCode();
        if (setupCode === undefined)
          throw new Error(
            `somebody administers the server in ${data} already: they name others with PUT /v1/administrators/<user>`,
          );
        const registered = await identity.register(
          { username, password, globalName: null },
          { address: 'the command line', correlationId: randomUUID(), isGone: () => false, setupCode },
        );
        if (either.isLeft(registered)) throw new Error(refusalText(registered.left));
        say(`${username} administers the server in ${data} (user ${registered.right.userId}).`);
      },
      { create: true },
    );
  });
