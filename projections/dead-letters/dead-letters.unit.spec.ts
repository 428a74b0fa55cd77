import { deadLettersContract } from './contract.ts';
import { memoryDeadLetters } from './testing.ts';

deadLettersContract('memory', async () => {
  let time = 0;
  return {
    letters: memoryDeadLetters(() => time),
    setTime: (now) => {
      time = now;
    },
    dispose: async () => {},
  };
});
