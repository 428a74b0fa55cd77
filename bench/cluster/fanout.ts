/** What a second gateway gains when many people listen to one channel. */

import { type Bench, median, round } from '../bench.ts';
import type { Crowd } from '../children/crowd.ts';
import { startChild } from '../support/child.ts';
import { withClusterPlace } from '../support/cluster-place.ts';
import { clusterServers } from '../support/cluster-servers.ts';

const SOCKETS = 1_500;
/** Large enough that writing to the sockets costs more than getting there. */
const BURST = 32;
const WARM_UP_ROUNDS = 3;
const ROUNDS = 15;
const CONTENT = 'a message of a usual length, which is about a hundred characters when people have something to say';

export const clusterFanout: Bench = {
  name: 'cluster-fanout',
  title: `deliveries/s of bursts of ${BURST} to ${SOCKETS.toLocaleString('en')} sockets at two gateways / at one`,
  prepare: clusterServers,
  run: () =>
    withClusterPlace(
      {
        processes: { 'gateway-1': 'gateway', 'gateway-2': 'gateway', others: 'api,relay,projector' },
        api: 'others',
        guilds: 2,
        channels: 1,
        people: SOCKETS,
      },
      async ({ cluster, owner, guilds: [atOne, atTwo] }) => {
        const crowd = await startChild<Crowd>('crowd');
        try {
          const [first, second] = [cluster.process('gateway-1').port, cluster.process('gateway-2').port];
          const sides = [
            { group: 'one', ports: [first], guild: atOne! },
            { group: 'two', ports: [first, second], guild: atTwo! },
          ];
          for (const { group, ports, guild } of sides)
            await crowd.call.connect({ group, ports, tokens: [...guild.people], senderToken: owner.token });
          const times: number[][] = [];
          for (let i = 0; i < WARM_UP_ROUNDS + ROUNDS; i += 1) {
            const round: number[] = [];
            for (const { group, guild } of sides) {
              const channelId = guild.channels[0]!.id;
              round.push(await crowd.call.send({ group, channelId, burst: BURST, content: CONTENT }));
            }
            if (i >= WARM_UP_ROUNDS) times.push(round);
          }
          const rate = (ms: number) => (SOCKETS * BURST * 1_000) / ms;
          const [one, two] = [median(times.map(([ms]) => ms!)), median(times.map(([, ms]) => ms!))];
          return {
            figures: { 'deliveries/s at two': round(rate(two)), 'deliveries/s at one': round(rate(one)) },
            ratio: one / two,
          };
        } finally {
          await crowd.stop();
        }
      },
    ),
};
