import { call, createAccounts } from './accounts.ts';
import type { BenchPart } from './bench-options.ts';
import { wordOf } from './bench-texts.ts';
import { rounded } from './gather.ts';
import { percentiles } from './latencies.ts';
import { prepareConversations } from './long-conversations.ts';

const messages = 1_000_000;
const conversations = 1_000;
const perRound = 20;
const absent = 'xqzw';

type Kind = { name: string; query(index: number): Record<string, string> };

/**
 * Searches of a user with 1,000 conversations and so many messages, over REST. The baseline takes turns with them: a page of 50
 * messages from the history of the largest conversation, which is one indexed read.
 */
export const measureSearch: BenchPart = async (platform, { rounds, size = messages, report }) => {
  const [gateway = ''] = platform.gateways;
  const [reader] = await createAccounts(platform.gateways, 1);
  if (!reader) throw new Error('no account');
  const prepared = await prepareConversations(platform, reader.userId, { messages: size, conversations, report });
  const timed = async (path: string): Promise<{ ms: number; found: number }> => {
    const started = performance.now();
    const answer = await call(gateway, 'GET', path, reader.token);
    return { ms: performance.now() - started, found: (answer['items'] as unknown[]).length };
  };
  const kinds = kindsOf(prepared.samples, prepared.longId);
  const times = new Map(kinds.map(({ name }) => [name, [] as number[]]));
  const found = new Map(kinds.map(({ name }) => [name, 0]));
  const plain: number[] = [];
  const path = (query: Record<string, string>): string => `/search/messages?${new URLSearchParams(query)}`;
  for (const { query } of kinds) await timed(path(query(9_999)));
  for (let index = 0; index < rounds * perRound; index += 1) {
    for (const { name, query } of kinds) {
      const one = await timed(path(query(index)));
      times.get(name)?.push(one.ms);
      found.set(name, (found.get(name) ?? 0) + one.found);
    }
    const before = 1 + Math.floor(((index + 1) / (rounds * perRound)) * size);
    plain.push((await timed(`/conversations/${prepared.longId}/messages?limit=50&before=${before}`)).ms);
  }
  const baseline = percentiles(plain);
  const searches = kinds.map(({ name }) => {
    const figures = percentiles(times.get(name) ?? []);
    report(`${name}: p50 ${figures.p50} ms, p95 ${figures.p95} ms, ${found.get(name)} found`);
    return { name, found: found.get(name), ...figures, p50ToBaseline: rounded(figures.p50 / baseline.p50) };
  });
  const all = percentiles([...times.values()].flat());
  report(`all: p50 ${all.p50} ms, p95 ${all.p95} ms; history page: p50 ${baseline.p50} ms, p95 ${baseline.p95} ms`);
  return {
    goals: { searchP95Ms: { value: all.p95, below: 100 } },
    messages: prepared.messages,
    conversations,
    searches,
    all,
    historyPage: baseline,
    p95ToBaseline: rounded(all.p95 / baseline.p95),
  };
};

function kindsOf(samples: string[], longId: string): Kind[] {
  const latin = samples.filter((text) => text.includes(' ')).map((text) => text.split(' '));
  const chinese = samples.filter((text) => !text.includes(' '));
  const words = (index: number): string[] => latin[index % latin.length] ?? [];
  const byLength = (index: number): string[] => [...words(index)].sort((a, b) => b.length - a.length);
  const start = (index: number): number => index % Math.max(1, words(index).length - 1);
  const rare = (index: number): string => wordOf(20_000 + ((index * 37) % 29_000));
  return [
    { name: 'common word', query: (index) => ({ q: `"${wordOf(index % 30)}"` }) },
    { name: 'rare word', query: (index) => ({ q: rare(index) }) },
    { name: 'beginning of a word', query: (index) => ({ q: wordOf(300 + index * 7).slice(0, 4) }) },
    { name: 'two words', query: (index) => ({ q: byLength(index).slice(0, 2).join(' ') }) },
    { name: 'two common words', query: (index) => ({ q: `"${wordOf(index % 40)}" "${wordOf(40 + (index % 50))}"` }) },
    {
      name: 'phrase',
      query: (index) => ({
        q: `"${words(index)
          .slice(start(index), start(index) + 2)
          .join(' ')}"`,
      }),
    },
    { name: 'two Chinese characters', query: (index) => ({ q: (chinese[index % chinese.length] ?? '').slice(1, 3) }) },
    { name: 'rare word in the largest conversation', query: (index) => ({ q: rare(index), conversationId: longId }) },
    { name: 'word that is nowhere', query: (index) => ({ q: `${absent}${index}` }) },
  ];
}
