/** Laws of delivery, over random stories through the real path: socket, command, log, projections, delivery. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Account, someName } from '../support/api.ts';
import { ALL_INTENTS, GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';
import { worldAfter } from '../support/known-world.ts';
import { of, Story, steps, takes } from '../support/stories.ts';

/** Includes members, because the law covers everything a snapshot holds. */
const INTENTS = ALL_INTENTS | (1 << 1);

/** In each story: on real servers one takes a tenth of a second. */
const MOST_LOOKS = 4;
const PATIENCE = { interval: 100, timeout: 10_000 };

/** What somebody knows who begins now. */
const freshly = async (instance: Instance, { token }: Account) => {
  const fresh = await GatewayClient.identified(instance.url, token, INTENTS);
  fresh.socket.terminate();
  return worldAfter(fresh.frames).structure();
};

/**
 * @param runs random stories for each law
 * @param forgetViews removes the views of a server that does not run, where it builds them anew when it starts
 */
export const lawsSuite = (start: StartInstance, runs: number, forgetViews?: (instance: Instance) => void) =>
  describe('over random stories', () => {
    let instance: Instance;
    let administrator: Account;
    beforeAll(async () => {
      instance = await start();
      administrator = instance.administrator ?? (await instance.api.register(someName('root')));
    });
    afterAll(() => instance?.close());

    it('a snapshot at any position plus the dispatches after it equals a fresh snapshot, nothing comes of what was lost, and the audit log names every act once', async () => {
      await fc.assert(
        fc.asyncProperty(steps, fc.nat({ max: 40 }), async (script, when) => {
          const story = await Story.begin(instance, administrator);
          const watching = new Map<string, GatewayClient>();
          let looks = 0;
          for (const [at, one] of script.entries()) {
            if (at === when % script.length) {
              for (const { account } of story.present())
                watching.set(account.id, await GatewayClient.identified(instance.url, account.token, INTENTS));
            }
            await story.go(one);
            // What is asked after the acknowledgement, on whichever node, is answered by the rights that are left.
            if (takes(one) && looks++ < MOST_LOOKS) await story.nobodySeesMore();
          }
          await story.close();
          for (const { account } of story.present()) {
            const client = watching.get(account.id)!;
            await story.reached(client);
            const known = () => worldAfter(client.frames, story.threads);
            // What follows in other streams may come a moment later.
            await vi.waitFor(
              async () => expect(known().structure()).toEqual(await freshly(instance, account)),
              PATIENCE,
            );
            expect(known().strays).toEqual([]);
          }
          await vi.waitFor(() => story.isAudited(), PATIENCE);
          for (const client of watching.values()) client.socket.terminate();
          story.end();
        }),
        { numRuns: runs, endOnFailure: true },
      );
    }, 120_000);

    it('the state after a resume from any position equals that of live delivery, even after a crash and with views that are built anew', async () => {
      const again: (() => Promise<void>)[] = [];
      await fc.assert(
        fc.asyncProperty(steps, fc.array(fc.nat(), { minLength: 2, maxLength: 4 }), async (script, cuts) => {
          const story = await Story.begin(instance, administrator);
          const live = new Map<string, GatewayClient>();
          for (const { account } of story.people)
            live.set(account.id, await GatewayClient.identified(instance.url, account.token, INTENTS));
          for (const one of script) await story.go(one);
          await story.close();
          for (const { account } of story.present()) {
            const client = live.get(account.id)!;
            await story.reached(client);
            const positions = [...new Set(client.frames.map((frame) => frame.s ?? 0))].filter((s) => s > 0);
            for (const cut of cuts) {
              const seq = of(positions, cut);
              // The last packet with this `s`: everything before it had reached the client when the connection broke.
              const last = client.frames.findLastIndex((frame) => frame.s === seq);
              const before = client.frames.slice(0, last + 1);
              const session = { session_id: client.sessionId!, seq };
              const resume = async () => {
                const everything = worldAfter(client.frames, story.threads);
                const resumed = await GatewayClient.resumed(instance.url, account.token, session);
                resumed.socket.terminate();
                const world = worldAfter([...before, ...resumed.frames], story.threads);
                expect(world.all(story.gone)).toEqual(everything.all(story.gone));
                expect(world.arrived(everything)).toEqual(everything.arrived(world));
                expect([...world.strays, ...everything.strays]).toEqual([]);
              };
              await vi.waitFor(resume, PATIENCE);
              again.push(resume);
            }
            const structure = worldAfter(client.frames, story.threads).structure();
            again.push(async () => expect(await freshly(instance, account)).toEqual(structure));
            client.socket.terminate();
          }
          for (const client of live.values()) client.socket.terminate();
          story.end();
        }),
        { numRuns: runs, endOnFailure: true },
      );
      // These resumes read the log, because the recent events in the first server's memory are gone.
      await instance.server().kill();
      await forgetViews?.(instance);
      await instance.start();
      for (const one of again) await one();
    }, 120_000);
  });
