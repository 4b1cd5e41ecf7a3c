import { createTransport } from 'nodemailer';
import type { CodeSender } from '../codes/code-delivery.ts';

const connectMs = 3_000;
const silenceMs = 5_000;

/** E-mail over SMTP. @param options.url e.g. `smtps://user:password@host:465`; `from` is the sender's address. */
export function createSmtpSender(options: { url: string; from: string }): CodeSender {
  const transport = createTransport(
    {
      url: options.url,
      pool: true,
      maxConnections: 3,
      connectionTimeout: connectMs,
      greetingTimeout: connectMs,
      socketTimeout: silenceMs,
      dnsTimeout: connectMs,
    },
    { from: options.from },
  );
  return {
    reaches: (channel) => channel === 'email',
    send: async ({ to, code, expiresAt }) => {
      const mail = {
        // As an object, so that nothing in the address is read as a second one.
        to: { name: '', address: to },
        subject: 'Your one-time code',
        text: [
          `Your one-time code is ${code}.`,
          `It works once, until ${new Date(expiresAt).toISOString().slice(11, 16)} UTC.`,
          'If you did not ask for it, ignore this message and give the code to nobody.',
        ].join('\n\n'),
      };
      await transport.sendMail(mail).catch((error: unknown) => {
        throw withoutAddress(error);
      });
    },
    close: () => transport.close(),
  };
}

/** A mail server's refusal repeats the address, which has no place in logs: only its codes go on. */
function withoutAddress(error: unknown): Error {
  const { code, responseCode } = error as { code?: string; responseCode?: number };
  return new Error(`the mail server did not take the code: ${[code, responseCode].filter(Boolean).join(' ')}`);
}
