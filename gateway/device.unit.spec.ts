import { expect, it } from 'vitest';
import { deviceOf } from './identify.ts';

it('a device is what its client says, or other', () => {
  expect(deviceOf({ os: 'Windows', browser: 'Discord Client', device: '' })).toBe('desktop');
  expect(deviceOf({ os: 'Android', browser: 'Discord Android', device: 'Pixel' })).toBe('mobile');
  expect(deviceOf({ $os: 'iOS', $browser: 'Safari', $device: 'iPhone' })).toBe('mobile');
  expect(deviceOf({ os: 'linux', browser: 'Firefox', device: '' })).toBe('web');
  expect(deviceOf({ os: 'linux', browser: 'discord.js', device: 'discord.js' })).toBe('other');
  for (const nothing of [{}, null, undefined, { os: 7, browser: {} }]) expect(deviceOf(nothing)).toBe('other');
});
