import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CodeMessage, CodeDelivery, type CodeSender } from '../src/codes/code-delivery.ts';
import { createSmtpSender } from '../src/delivery/smtp-sender.ts';
import { createWebhookSender, signWebhook } from '../src/delivery/webhook-sender.ts';
import { context, freshName, registration, silent, startFixture } from './support/auth-fixture.ts';

const secret = 'a secret of the tests';
const until = async (isTrue: () => boolean): Promise<void> => {
  const end = Date.now() + 5_000;
  while (!isTrue() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
};

type Hook = { headers: Record<string, string | string[] | undefined>; body: string };
const hooks: Hook[] = [];
let answers: number[] = [];
const webhook = createHttpServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    hooks.push({ headers: request.headers, body });
    response.writeHead(answers.shift() ?? 204).end();
  });
});
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/codes`;
});
afterAll(() => new Promise((resolve) => webhook.close(resolve)));

describe('codes by webhook', () => {
  it('given accounts with e-mail, when codes are asked for by any identity, then they arrive signed and open sessions', async () => {
    const fixture = await startFixture({ DEV_ECHO_CODES: 'false', CODE_WEBHOOK_URL: url, CODE_WEBHOOK_SECRET: secret });
    const name = freshName();
    await fixture.call.Register(registration(name), context());
    const phone = '+4915112345601';
    for (const [identifier, channel, to] of [
      [name, 'email', `${name}@example.com`],
      [phone, 'phone', phone],
    ] as const) {
      hooks.length = 0;
      expect(await fixture.call.RequestCode({ identifier, ip: '' }, context())).toEqual({ code: '' });
      await until(() => hooks.length > 0);
      const [hook] = hooks;
      const sent = JSON.parse(hook?.body ?? '{}') as { code: string };
      expect(sent).toEqual({
        ...{ channel, to, code: expect.stringMatching(/^[0-9]{6}$/) },
        expiresAt: new Date(fixture.clock.now + 600_000).toISOString(),
      });
      const timestamp = String(hook?.headers['bluewave-timestamp']);
      expect(timestamp).toBe(String(Math.floor(fixture.clock.now / 1000)));
      expect(hook?.headers['bluewave-signature']).toBe(`v1=${signWebhook(secret, timestamp, hook?.body ?? '')}`);
      const reply = await fixture.call.VerifyCode({ identifier, code: sent.code, device: null, ip: '' }, context());
      expect(reply.sessionId).not.toBe('');
    }
    await fixture.close();
  });

  it('given an unknown username, when a code is asked for, then nothing is sent', async () => {
    const fixture = await startFixture({ DEV_ECHO_CODES: 'false', CODE_WEBHOOK_URL: url, CODE_WEBHOOK_SECRET: secret });
    hooks.length = 0;
    expect(await fixture.call.RequestCode({ identifier: freshName(), ip: '' }, context())).toEqual({ code: '' });
    await fixture.close();
    expect(hooks).toEqual([]);
  });

  it('given a webhook that fails at first, when a code is delivered, then it is tried again', async () => {
    hooks.length = 0;
    answers = [500];
    const delivery = new CodeDelivery([createWebhookSender({ url, secret, clock: Date.now })], silent);
    delivery.deliver({ channel: 'phone', to: '+4915112345602', code: '123456', expiresAt: Date.now() });
    await until(() => hooks.length === 2);
    expect(hooks.map(({ body }) => body)).toEqual([hooks[0]?.body, hooks[0]?.body]);
    await delivery.close();
  });

  it('given a webhook that redirects or refuses, when a code is sent, then sending fails', async () => {
    const sender = createWebhookSender({ url, secret, clock: Date.now });
    const message: CodeMessage = { channel: 'email', to: 'a@b.c', code: '123456', expiresAt: Date.now() };
    for (const status of [302, 400, 503]) {
      answers = [status];
      await expect(sender.send(message)).rejects.toThrow(status === 302 ? 'fetch failed' : `answered ${status}`);
    }
  });
});

describe('codes by SMTP', () => {
  it('given a mail server, when a code is sent, then one mail goes to that address alone', async () => {
    const lines: string[] = [];
    const server = createServer((socket) => {
      let inData = false;
      socket.write('220 test\r\n');
      socket.on('data', (chunk) => {
        for (const line of chunk.toString().split('\r\n').slice(0, -1)) {
          lines.push(line);
          if (inData) {
            if (line !== '.') continue;
            inData = false;
            socket.write('250 taken\r\n');
          } else if (line === 'DATA') {
            inData = true;
            socket.write('354 go on\r\n');
          } else if (line.startsWith('RCPT TO:<refused')) socket.write('550 refused@example.com is unknown\r\n');
          else socket.write(line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
        }
      });
      socket.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const sender = createSmtpSender({
      url: `smtp://127.0.0.1:${port}?ignoreTLS=true`,
      from: 'Chat <codes@example.com>',
    });
    expect([sender.reaches('email'), sender.reaches('phone')]).toEqual([true, false]);
    await sender.send({ channel: 'email', to: 'ada@example.com', code: '012345', expiresAt: Date.now() });
    const refused = sender.send({ channel: 'email', to: 'refused@example.com', code: '012345', expiresAt: Date.now() });
    await expect(refused).rejects.toThrow(/^the mail server did not take the code: EENVELOPE 550$/);
    await sender.close();
    await new Promise((resolve) => server.close(resolve));
    expect(lines.filter((line) => line.startsWith('RCPT'))).toEqual([
      'RCPT TO:<ada@example.com>',
      'RCPT TO:<refused@example.com>',
    ]);
    expect(lines).toContain('MAIL FROM:<codes@example.com>');
    expect(lines).toContain('Subject: Your one-time code');
    expect(lines).toContain('Your one-time code is 012345.');
  });
});

describe('CodeDelivery', () => {
  it('given a sender that never answers, when the service stops, then it waits no longer than 5 s and closes it', async () => {
    let closed = false;
    const stuck: CodeSender = {
      reaches: () => true,
      send: () => new Promise(() => undefined),
      close: () => void (closed = true),
    };
    const delivery = new CodeDelivery([stuck], silent);
    delivery.deliver({ channel: 'email', to: 'a@b.c', code: '123456', expiresAt: Date.now() });
    const begin = Date.now();
    await delivery.close();
    expect(Date.now() - begin).toBeLessThan(6_000);
    expect(closed).toBe(true);
  });
});
