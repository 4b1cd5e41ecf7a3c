import type { Platform } from '@bluewave/dev-env/platform';
import { type Account, call } from './accounts.ts';
import type { BenchOptions } from './bench-options.ts';
import { wordOf } from './bench-texts.ts';
import { median, rounded } from './gather.ts';
import { cpuPerMessage, cpuSeconds } from './cpu.ts';
import { percentiles } from './latencies.ts';
import type { Prepared } from './long-conversations.ts';

const perRound = 20;
const absent = 'xqzw';
const baseline = 'page of history';

type Kind = { name: string; path(index: number): string };
type Taken = { times: number[]; found: number; cpuMicros: number[] };

/**
 * Searches of a user with 1,000 conversations and so many messages, over REST. The baseline takes turns with them: a page of 50
 * messages from the history of the largest conversation, which is one indexed read. CPU is that of all processes of the platform.
 */
export async function measureSearch(
  gateway: string,
  reader: Account,
  prepared: Prepared,
  platform: Platform,
  { rounds, report }: BenchOptions,
) {
  const { longId } = prepared;
  const history = (index: number): string =>
    `/conversations/${longId}/messages?limit=50&before=${Math.floor((index / (rounds * perRound)) * prepared.length) + 1}`;
  const kinds = [{ name: baseline, path: history }, ...kindsOf(prepared.samples, longId)];
  const taken = new Map(kinds.map(({ name }): [string, Taken] => [name, { times: [], found: 0, cpuMicros: [] }]));
  const ask = async (path: string): Promise<number> =>
    ((await call(gateway, 'GET', path, reader.token))['items'] as unknown[]).length;
  for (const { path } of kinds) await ask(path(rounds * perRound));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, path } of kinds) {
      const one = taken.get(name) as Taken;
      const before = cpuSeconds(platform.processes());
      for (let index = round * perRound; index < (round + 1) * perRound; index += 1) {
        const started = performance.now();
        one.found += await ask(path(index));
        one.times.push(performance.now() - started);
      }
      one.cpuMicros.push(cpuPerMessage(before, cpuSeconds(platform.processes()), perRound).total);
    }
  }
  return figuresOf(taken, report);
}

function figuresOf(taken: Map<string, Taken>, report: (line: string) => void) {
  const plain = figureOf(taken.get(baseline) as Taken);
  const searches = [...taken]
    .filter(([name]) => name !== baseline)
    .map(([name, one]) => {
      const figure = figureOf(one);
      const p50ToBaseline = rounded(figure.p50 / plain.p50);
      const cpuToBaseline = rounded(figure.cpuMs / plain.cpuMs);
      report(
        `${name}: p50 ${figure.p50} ms (${p50ToBaseline}), p95 ${figure.p95} ms, CPU ${figure.cpuMs} ms (${cpuToBaseline}), ${one.found} found`,
      );
      return { name, ...figure, p50ToBaseline, cpuToBaseline };
    });
  const all = percentiles([...taken].flatMap(([name, { times }]) => (name === baseline ? [] : times)));
  report(`all: p50 ${all.p50} ms, p95 ${all.p95} ms`);
  report(`${baseline}: p50 ${plain.p50} ms, p95 ${plain.p95} ms, CPU ${plain.cpuMs} ms`);
  return {
    searches,
    all,
    historyPage: plain,
    p95ToBaseline: rounded(all.p95 / plain.p95),
  };
}

const figureOf = ({ times, found, cpuMicros }: Taken) => ({
  found,
  ...percentiles(times),
  cpuMs: rounded(median(cpuMicros) / 1_000),
});

const search = (query: Record<string, string>): string => `/search/messages?${new URLSearchParams(query).toString()}`;

function kindsOf(samples: string[], longId: string): Kind[] {
  const latin = samples.filter((text) => text.includes(' ')).map((text) => text.split(' '));
  const chinese = samples.filter((text) => !text.includes(' '));
  const words = (index: number): string[] => latin[index % latin.length] ?? [];
  const byLength = (index: number): string[] => [...words(index)].sort((a, b) => b.length - a.length);
  const start = (index: number): number => index % Math.max(1, words(index).length - 1);
  const rare = (index: number): string => wordOf(20_000 + ((index * 37) % 29_000));
  return [
    { name: 'common word', path: (index) => search({ q: `"${wordOf(index % 30)}"` }) },
    { name: 'rare word', path: (index) => search({ q: rare(index) }) },
    { name: 'beginning of a word', path: (index) => search({ q: wordOf(300 + index * 7).slice(0, 4) }) },
    { name: 'two words', path: (index) => search({ q: byLength(index).slice(0, 2).join(' ') }) },
    {
      name: 'two common words',
      path: (index) => search({ q: `"${wordOf(index % 40)}" "${wordOf(40 + (index % 50))}"` }),
    },
    {
      name: 'phrase',
      path: (index) =>
        search({
          q: `"${words(index)
            .slice(start(index), start(index) + 2)
            .join(' ')}"`,
        }),
    },
    {
      name: 'two Chinese characters',
      path: (index) => search({ q: (chinese[index % chinese.length] ?? '').slice(1, 3) }),
    },
    {
      name: 'rare word in the largest conversation',
      path: (index) => search({ q: rare(index), conversationId: longId }),
    },
    { name: 'word that is nowhere', path: (index) => search({ q: `${absent}${index}` }) },
  ];
}
