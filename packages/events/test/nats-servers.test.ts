import { describe, expect, it } from '@jest/globals';
import { natsServers } from '../src/nats-servers.ts';

describe('natsServers', () => {
  it('given an address alone, then there are no credentials', () => {
    expect(natsServers('nats://127.0.0.1:4222')).toEqual({ servers: ['nats://127.0.0.1:4222'] });
  });

  it('given a user and a password, then they are apart from the address, decoded', () => {
    expect(natsServers('nats://chat:p%40ss@bus:4222')).toEqual({
      servers: ['nats://bus:4222'],
      user: 'chat',
      pass: 'p@ss',
    });
  });

  it('given several servers, then the first credentials hold for all', () => {
    expect(natsServers('tls://a:4222, tls://chat:secret@b:4222')).toEqual({
      servers: ['tls://a:4222', 'tls://b:4222'],
      user: 'chat',
      pass: 'secret',
    });
  });

  it('given a user without a password, then it is a token', () => {
    expect(natsServers('nats://t0ken@bus:4222')).toEqual({ servers: ['nats://bus:4222'], token: 't0ken' });
  });
});
