import type { Platform } from '@bluewave/dev-env/platform';

const scrapeMs = 10_000;

/** What Prometheus would scrape, of every service, as text. */
export async function scrape({ metrics }: Pick<Platform, 'metrics'>): Promise<string> {
  const texts = metrics.map(async (url) => (await fetch(url, { signal: AbortSignal.timeout(scrapeMs) })).text());
  return (await Promise.all(texts)).join('\n');
}

/** The sum of a metric over all services and labels, or over those with these labels, written as they are exposed. */
export function sumOf(text: string, name: string, labels = ''): number {
  const lines = text.split('\n').filter((line) => line.startsWith(name) && /[ {]/.test(line[name.length] ?? ''));
  return lines.filter((line) => line.includes(labels)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
