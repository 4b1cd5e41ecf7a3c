/**
 * Questions that are asked within one turn of the event loop travel as one call. Nothing is kept: each question is
 * answered by a call that began after it was asked.
 * @param ask answers for all keys at once. @param maxKeys of one call.
 */
export function gathered<K, A>(ask: (keys: K[]) => Promise<(key: K) => A>, maxKeys: number): (key: K) => Promise<A> {
  type Question = { key: K; resolve(answer: A): void; reject(error: unknown): void };
  let waiting: Question[] = [];
  const flush = async (questions: Question[]): Promise<void> => {
    try {
      const answerOf = await ask(questions.map(({ key }) => key));
      for (const { key, resolve } of questions) resolve(answerOf(key));
    } catch (error) {
      for (const { reject } of questions) reject(error);
    }
  };
  const flushAll = (): void => {
    const questions = waiting;
    waiting = [];
    for (let start = 0; start < questions.length; start += maxKeys) {
      void flush(questions.slice(start, start + maxKeys));
    }
  };
  return (key) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flushAll);
      waiting.push({ key, resolve, reject });
    });
}
