import { expect, it } from 'vitest';
import { partitionOf } from '../../engine/partitions.ts';
import { Story } from '../../testing.ts';
import { PARTITIONS, testPostgres } from './testing.ts';

it('a repair adds the skipped events of a stream and leaves the checkpoints alone', async () => {
  const postgres = await testPostgres();
  try {
    const views = postgres.views(await postgres.generation());
    const story = new Story();
    const { stream } = story.guild('20', '10');
    story.join('20', '10');
    await views.apply(story.log.all.filter((event) => event.stream !== stream));
    const stands = await views.store.checkpoints();
    expect(await views.guilds.guild('20')).toBeUndefined();
    await views.store.repair(story.log.all.filter((event) => event.stream === stream));
    expect(await views.guilds.guild('20')).toMatchObject({ id: '20' });
    expect(await views.store.checkpoints()).toEqual(stands);
    expect(stands[partitionOf(stream, PARTITIONS)]).toBe(2);
  } finally {
    await postgres.drop();
  }
});
