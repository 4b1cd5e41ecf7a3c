import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { MicroBatchStream } from '../src/micro-batch-stream.ts';

type Command = { id: number; text: string };
type Reply = { id: number; text: string };

/** The other end of a stream, driven by the test. */
class FarEnd extends EventEmitter {
  readonly batches: Command[][] = [];
  write(message: { commands: Command[] }): void {
    this.batches.push(message.commands);
  }
  end(): void {
    this.emit('end');
  }
  reply(...replies: Reply[]): void {
    this.emit('data', { replies });
  }
}

function open(): { stream: MicroBatchStream<Command, Reply>; ends: FarEnd[] } {
  const ends: FarEnd[] = [];
  const stream = new MicroBatchStream<Command, Reply>({
    service: 'chat',
    maxBatch: 3,
    open: () => {
      const end = new FarEnd();
      ends.push(end);
      return end as unknown as ClientDuplexStream<{ commands: Command[] }, { replies: Reply[] }>;
    },
  });
  return { stream, ends };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
const ask = (stream: MicroBatchStream<Command, Reply>, text: string, ms = 1_000) =>
  stream
    .ask((id) => ({ id, text }), ms)
    .then(
      (reply) => reply.text,
      (error: { code: string }) => error.code,
    );

describe('commands over one stream', () => {
  it('given several in one turn, then they travel in batches and replies find their askers in any order', async () => {
    const { stream, ends } = open();
    const answers = ['a', 'b', 'c', 'd'].map((text) => ask(stream, text));
    await turn();
    expect(ends[0]?.batches.map((batch) => batch.map(({ text }) => text))).toEqual([['a', 'b', 'c'], ['d']]);
    for (const { id, text } of (ends[0]?.batches.flat() ?? []).reverse()) ends[0]?.reply({ id, text: `${text}!` });
    expect(await Promise.all(answers)).toEqual(['a!', 'b!', 'c!', 'd!']);
  });

  it('given no reply in time, then that asker alone is told, and a late reply is nobody’s', async () => {
    const { stream, ends } = open();
    const [late, good] = [ask(stream, 'late', 20), ask(stream, 'good')];
    expect(await late).toBe('DEADLINE_EXCEEDED');
    ends[0]?.reply({ id: 1, text: 'too late' }, { id: 2, text: 'in time' });
    expect(await good).toBe('in time');
  });

  it('given a stream that breaks, then open questions are UNAVAILABLE and the next one opens a new stream', async () => {
    const { stream, ends } = open();
    const lost = ask(stream, 'lost');
    await turn();
    ends[0]?.emit('error', new Error('connection reset'));
    expect(await lost).toBe('UNAVAILABLE');
    const next = ask(stream, 'next');
    await turn();
    ends[1]?.reply({ id: ends[1].batches[0]?.[0]?.id ?? 0, text: 'here' });
    expect(await next).toBe('here');
  });

  it('given a closed stream, then whatever is asked is UNAVAILABLE', async () => {
    const { stream } = open();
    const before = ask(stream, 'before');
    stream.close();
    expect([await before, await ask(stream, 'after')]).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
  });
});
