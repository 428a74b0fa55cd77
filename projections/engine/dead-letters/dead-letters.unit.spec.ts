import { memoryDeadLetters } from '../testing.ts';
import { deadLettersContract } from './contract.ts';

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
