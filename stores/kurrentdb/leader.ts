/** Asks the nodes of a cluster who leads it. */

import gossipService from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import { Metadata } from '@grpc/grpc-js';
import type { Clock } from '../../schemas/clock.ts';
import { BUDGETS } from '../budgets.ts';
import { reasonOf } from '../guard.ts';
import { type Endpoint, nameOf, OWN_CONNECTION, type Servers } from './servers.ts';

const { LEADER } = gossip.MemberInfo.VNodeState;

/** @throws the server's error, or that it knows no leader or does not answer */
const askOne = (node: Endpoint, { credentials }: Servers, clock: Clock): Promise<Endpoint> =>
  new Promise((resolve, reject) => {
    const client = new gossipService.GossipClient(nameOf(node), credentials, OWN_CONNECTION);
    const end = (settle: () => void): void => {
      cancel();
      client.close();
      settle();
    };
    const { gossipMs } = BUDGETS.kurrentdb;
    const call = client.read(
      new shared.Empty(),
      new Metadata(),
      { deadline: Number.POSITIVE_INFINITY },
      (error, cluster) => {
        const leader = cluster?.getMembersList().find((member) => member.getIsAlive() && member.getState() === LEADER);
        const place = leader?.getHttpEndPoint();
        end(() => {
          if (place !== undefined) resolve({ address: place.getAddress(), port: place.getPort() });
          else reject(new Error(error ? `${nameOf(node)}: ${error.message}` : `${nameOf(node)} knows no leader`));
        });
      },
    );
    const cancel = clock.setTimer(gossipMs, () => call.cancel());
  });

/** @throws what each node answered */
export const leaderOf = async (servers: Servers, clock: Clock): Promise<Endpoint> => {
  try {
    return await Promise.any(servers.endpoints.map((node) => askOne(node, servers, clock)));
  } catch (failure) {
    throw new Error(`No node of KurrentDB tells who leads: ${reasonOf(failure)}`, { cause: failure });
  }
};
