/** Three stand-ins as one cluster. A leader may die, freeze, and come back still believing that it leads. */

import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import { StandIn } from './testing.ts';

const { ClusterInfo, EndPoint, MemberInfo } = gossip;
const { LEADER, FOLLOWER } = MemberInfo.VNodeState;
const HOST = '127.0.0.1';

interface Member {
  readonly node: StandIn;
  readonly instance: string;
  alive: boolean;
  frozen: boolean;
  /** Index of the member that this one takes for the leader, if any. */
  leader: number | undefined;
}

export class StandInCluster {
  private readonly members: readonly Member[] = Array.from({ length: 3 }, () => ({
    node: new StandIn(),
    instance: crypto.randomUUID(),
    alive: true,
    frozen: false,
    leader: 0,
  }));

  get nodes(): readonly StandIn[] {
    return this.members.map(({ node }) => node);
  }

  get url(): string {
    const hosts = this.nodes.map(({ port }) => `${HOST}:${port}`);
    return `esdb://admin:changeit@${hosts.join(',')}?tls=false`;
  }

  /** The node that leads, as most of the nodes see it that can be reached. */
  get leader(): StandIn {
    const reached = this.members.filter((member) => this.isReached(member));
    const votes = this.members.map((_, i) => reached.filter(({ leader }) => leader === i).length);
    return this.members[votes.indexOf(Math.max(...votes))]!.node;
  }

  async start(): Promise<this> {
    for (const [i, member] of this.members.entries()) {
      member.node.store = this.members[0]!.node.store.copy();
      member.node.membership = this.membershipOf(member);
      member.node.appends.onStored = () => {
        if (this.leads(member)) this.replicateFrom(i);
      };
      await member.node.start();
    }
    return this;
  }

  async stop(): Promise<void> {
    for (const { node, alive } of this.members) if (alive) await node.stop();
  }

  /** The nodes that can be reached agree on a leader. One that is frozen goes on with what it believed. */
  elect(i: number): void {
    for (const [n, member] of this.members.entries()) {
      if (!this.isReached(member)) continue;
      // A leader that is one no more ends its streams.
      if (this.leads(member) && n !== i) member.node.front.cutAll();
      member.leader = i;
    }
    this.members[i]!.node.appends.setQuorum(true);
    this.replicateFrom(i);
  }

  /** The server writes events of its own. */
  system(count: number): void {
    const i = this.members.findIndex(({ node }) => node === this.leader);
    this.members[i]!.node.store.system('$stats', '$statsCollected', count);
    this.replicateFrom(i);
  }

  /** Nobody leads: nodes answer so. */
  dismissLeader(): void {
    for (const member of this.members) if (this.isReached(member)) member.leader = undefined;
  }

  freeze(i: number): void {
    const member = this.members[i]!;
    member.frozen = true;
    member.node.front.freeze();
  }

  /** If another leads by now, this node does not know it yet: it answers reads with what it has, and cannot write. */
  thaw(i: number): void {
    const member = this.members[i]!;
    member.frozen = false;
    if (this.leads(member) && this.leader !== member.node) member.node.appends.setQuorum(false);
    member.node.front.thaw();
  }

  /** A node finds out who leads. One that holds data nobody else has stops itself. */
  async settle(i: number): Promise<void> {
    const member = this.members[i]!;
    const leader = this.members.findIndex((other) => other !== member && this.isReached(other) && this.leads(other));
    if (member.node.appends.holdsUnreplicated) return this.kill(i);
    member.leader = leader;
    member.node.appends.setQuorum(true);
    this.replicateFrom(leader);
    member.node.front.cutAll();
  }

  isAlive(i: number): boolean {
    return this.members[i]!.alive;
  }

  async kill(i: number): Promise<void> {
    const member = this.members[i]!;
    member.alive = false;
    member.frozen = false;
    await member.node.stop();
    member.node.appends.forget();
  }

  /** A killed node comes back as a follower of whoever leads. */
  async restart(i: number): Promise<void> {
    const member = this.members[i]!;
    member.leader = this.members.findIndex((other) => this.isReached(other) && this.leads(other));
    member.alive = true;
    await member.node.start();
    this.replicateFrom(member.leader);
  }

  /** All come back at once, and the first leads. */
  async restartAll(): Promise<void> {
    for (const member of this.members) {
      member.alive = true;
      await member.node.start();
    }
    this.elect(0);
  }

  private leads(member: Member): boolean {
    return member.leader !== undefined && this.members[member.leader] === member;
  }

  private isReached({ alive, frozen }: Member): boolean {
    return alive && !frozen;
  }

  private replicateFrom(i: number): void {
    const from = this.members[i]!;
    for (const to of this.members)
      if (to !== from && this.isReached(to) && to.leader === i) to.node.store.catchUpWith(from.node.store);
  }

  private membershipOf(member: Member) {
    const cluster = this;
    return {
      get leads() {
        return cluster.leads(member);
      },
      get leader() {
        return member.leader === undefined
          ? undefined
          : { host: HOST, port: cluster.members[member.leader]!.node.port };
      },
      gossip: () =>
        new ClusterInfo().setMembersList(
          cluster.members.map((other, i) =>
            new MemberInfo()
              .setInstanceId(new shared.UUID().setString(other.instance))
              .setTimeStamp('0')
              .setIsAlive(other.alive)
              .setState(member.leader === i ? LEADER : FOLLOWER)
              .setHttpEndPoint(new EndPoint().setAddress(HOST).setPort(other.node.port)),
          ),
        ),
    };
  }
}
