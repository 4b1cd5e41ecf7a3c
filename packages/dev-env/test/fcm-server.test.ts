import { describe, it, expect, beforeAll, afterAll } from '@jest/globals';
import { startFcmServer, type FcmServer } from '../src/fcm/fcm-server.ts';

describe('fcm', () => {
  it('smoke', async () => {
    const s = await startFcmServer({ port: 0, now: () => new Date() });
    const r = await fetch(s.url + '/inbox');
    expect(await r.json()).toEqual({ items: [] });
    expect(process.env['TEST_MONGODB_URL']).toMatch(/^mongodb/);
    await s.close();
  });
});
