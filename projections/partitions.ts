/** Which partition of the distribution log a stream's events go through: the same on every node, for ever. */

/** FNV-1a over the name's UTF-16 units: stream names are ASCII. */
const hash = (name: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i += 1) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return h >>> 0;
};

/** @param partitions how many there are; never changes for a topic in place. */
export const partitionOf = (stream: string, partitions: number): number => hash(stream) % partitions;
