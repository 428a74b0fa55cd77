import { passingOn, TestClock } from '../../schemas/clock.testing.ts';
import { feedContract } from './contract.ts';
import { MemoryFeed, type MemoryTransport } from './memory.ts';

feedContract('memory', async () => {
  const clock = new TestClock();
  const feed = new MemoryFeed();
  const transports: MemoryTransport[] = [];
  return {
    ...passingOn(clock, 5),
    clock,
    publisher: async () => feed.publisher(),
    async transport() {
      const transport = feed.transport();
      transports.push(transport);
      return transport;
    },
    signals: (partitions) => feed.signals(partitions),
    async cut() {
      for (const transport of transports) transport.cut();
      for (const transport of transports) transport.restore();
    },
    dispose: async () => {},
  };
});
