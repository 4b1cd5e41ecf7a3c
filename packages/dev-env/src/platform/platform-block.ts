import path from 'node:path';
import type { SeededUser } from './seed-users.ts';

/** What the block shows. */
export type BlockContent = {
  gateways: readonly string[];
  fcm: string;
  s3: string;
  engines: { mongodb: string; redis: string; nats: string };
  users: readonly SeededUser[];
  dataDir: string;
  limits: boolean;
  afterMs: number;
};

/** The one block of URLs and logins that `npm start` ends with. */
export const platformBlock = (content: BlockContent): string => {
  const [first = ''] = content.gateways;
  const folder = path.relative(process.cwd(), content.dataDir) || '.';
  const shown = folder.startsWith('..') ? content.dataDir : folder;
  const rows: [string, string][] = [
    ...content.gateways.map((url, index): [string, string] => [`Gateway ${index + 1}`, `${url}/api/v1`]),
    ['API docs', `${first}/docs`],
    ['Phones', `${content.fcm}   (what push notifications arrive)`],
    ['MongoDB', content.engines.mongodb],
    ['Redis', content.engines.redis],
    ['NATS', content.engines.nats],
    ['S3', content.s3],
    ...content.users.map((user): [string, string] => [
      'Login',
      `${user.username} / ${user.password}   (${user.email})`,
    ]),
    ['Data, logs', `${shown}, ${path.join(shown, 'logs')}   (npm start -- --fresh begins anew)`],
  ];
  if (!content.limits) rows.push(['Limits', 'off']);
  const lines = rows.map(([label, value]) => `  ${label.padEnd(11)} ${value}`);
  return [
    '',
    `Bluewave is up after ${(content.afterMs / 1000).toFixed(1)} s. Ctrl-C stops it.`,
    '',
    ...lines,
    '',
    '',
  ].join('\n');
};
