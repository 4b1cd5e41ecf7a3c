/** Calls under way at once; what is asked meanwhile travels with the next: fewer calls are fuller ones. */
const maxCalls = 2;

/**
 * Questions that are asked at about the same time travel as one call. Nothing is kept: each question is answered by a
 * call that began after it was asked.
 * @param ask answers for all keys at once; a key may be in it twice. @param maxKeys of one call.
 */
export function gathered<K, A>(ask: (keys: K[]) => Promise<(key: K) => A>, maxKeys: number): (key: K) => Promise<A> {
  type Question = { key: K; resolve(answer: A): void; reject(error: unknown): void };
  const waiting: Question[] = [];
  let calls = 0;
  let scheduled = false;

  const call = async (questions: Question[]): Promise<void> => {
    try {
      const answerOf = await ask(questions.map(({ key }) => key));
      for (const { key, resolve } of questions) resolve(answerOf(key));
    } catch (error) {
      for (const { reject } of questions) reject(error);
    }
    calls -= 1;
    schedule();
  };
  const flush = (): void => {
    scheduled = false;
    while (waiting.length > 0 && calls < maxCalls) {
      calls += 1;
      void call(waiting.splice(0, maxKeys));
    }
  };
  const schedule = (): void => {
    if (scheduled || waiting.length === 0 || calls >= maxCalls) return;
    scheduled = true;
    setImmediate(flush);
  };
  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      schedule();
    });
}
