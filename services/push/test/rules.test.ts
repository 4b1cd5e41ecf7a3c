import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backOffMs } from '../src/notifications/back-off.ts';
import { coalesced } from '../src/notifications/coalesced.ts';
import { cutText } from '../src/notifications/cut-text.ts';
import { decide } from '../src/notifications/decide.ts';
import { notificationOf } from '../src/notifications/notification-of.ts';
import { createLimit } from '../src/notifications/send-limit.ts';
import { pause } from './support/until.ts';

const graphemes = (text: string): string[] =>
  [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)].map(({ segment }) => segment);
const family = '👨‍👩‍👧‍👦';

describe('the text of a notification', () => {
  it('given any text, when it is cut, then it fits, begins like the text, and no character is torn', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 80 }),
      fc.array(fc.constantFrom(family, 'é', 'e\u0301', 'ñ', '🇹🇷', 'x', ' ')).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 3, max: 200 }),
        (full, characters, bytes) => {
          const cut = cutText(full, characters, bytes);
          expect(graphemes(cut).length).toBeLessThanOrEqual(characters);
          expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(bytes);
          if (cut === full) return;
          expect(cut.endsWith('…')).toBe(true);
          const kept = graphemes(cut.slice(0, -1));
          expect(graphemes(full).slice(0, kept.length)).toEqual(kept);
        },
      ),
    );
  });

  it('given a text that fits, when it is cut, then it is unchanged', () => {
    expect(cutText(family.repeat(3), 3, 75)).toBe(family.repeat(3));
    expect(cutText(family.repeat(3), 2, 75)).toBe(`${family}…`);
    expect(cutText('', 3, 9)).toBe('');
  });

  it('given the longest of everything, when it is composed, then FCM would take it', () => {
    const message = {
      conversationId: 'c',
      seq: 1,
      senderId: 's',
      atMs: 0,
      text: family.repeat(4_000),
      recipientIds: [],
      traceId: '',
    };
    const audience = { conversationType: 'group', conversationName: family.repeat(400) };
    const { title, body } = notificationOf({ ...message, attachmentKinds: [] }, audience, family.repeat(400));
    expect(Buffer.byteLength(title + body)).toBeLessThan(3_500);
  });

  it.each([
    [['image'], 'Photo'],
    [['video'], 'Video'],
    [['audio'], 'Audio'],
    [['file'], 'File'],
    [['something-new'], 'File'],
    [['image', 'image', 'image'], 'Photo and 2 more'],
  ])('given %j without text, when it is composed, then the body is %s', (attachmentKinds, body) => {
    const message = {
      conversationId: 'c',
      seq: 1,
      senderId: 's',
      atMs: 0,
      text: '  ',
      recipientIds: [],
      traceId: '',
      attachmentKinds,
    };
    const audience = { conversationType: 'direct', conversationName: '' };
    expect(notificationOf(message, audience, undefined)).toMatchObject({ title: 'New Message from Someone', body });
  });
});

describe('whether a device is notified', () => {
  const recipient = { userId: 'u', readSeq: 0, deliveredSeq: 0 };
  const given = { seq: 5, recipient, connected: false, firstLook: true, ageMs: 0, earlier: undefined };

  it.each([
    ['offline', {}, { kind: 'send' }],
    ['offline, delivered on another device', { recipient: { ...recipient, deliveredSeq: 5 } }, { kind: 'send' }],
    ['offline, read on another device', { recipient: { ...recipient, readSeq: 5 } }, { kind: 'skip' }],
    ['done before', { earlier: { kind: 'done' } }, { kind: 'skip' }],
    ['under way elsewhere', { earlier: { kind: 'sending', leaseMs: 700 } }, { kind: 'wait', ms: 700 }],
    ['left by a process that died', { earlier: { kind: 'sending', leaseMs: 0 } }, { kind: 'send' }],
    ['not due yet', { earlier: { kind: 'waiting', dueInMs: 90 } }, { kind: 'wait', ms: 90 }],
    ['due again', { earlier: { kind: 'waiting', dueInMs: 0 } }, { kind: 'send' }],
    ['connected', { connected: true }, { kind: 'wait', ms: 5_000 }],
    ['connected, an old message seen first', { connected: true, ageMs: 60_000 }, { kind: 'wait', ms: 5_000 }],
    [
      'connected, looked at again too early',
      { connected: true, firstLook: false, ageMs: 1_000 },
      { kind: 'wait', ms: 4_000 },
    ],
    [
      'connected, clocks that differ',
      { connected: true, firstLook: false, ageMs: -9_000 },
      { kind: 'wait', ms: 5_000 },
    ],
    ['connected and silent for 5 s', { connected: true, firstLook: false, ageMs: 5_000 }, { kind: 'send' }],
    ['connected and delivered', { connected: true, recipient: { ...recipient, deliveredSeq: 5 } }, { kind: 'skip' }],
  ] as const)('given a device that is %s, when it is looked at, then the rule holds', (_what, change, decision) => {
    expect(decide({ ...given, ...change })).toEqual(decision);
  });
});

describe('pacing', () => {
  it('given more and more failures, when the next attempt is planned, then it is later, up to about a minute', () => {
    expect([1, 2, 3, 7, 50].map((attempt) => backOffMs(attempt, () => 0.5))).toEqual([
      1_000, 2_000, 4_000, 60_000, 60_000,
    ]);
    expect(backOffMs(1, () => 0)).toBe(800);
    expect(backOffMs(1, () => 0.999)).toBe(1_200);
  });

  it('given a limit, when much is asked at once, then never more runs, and failures give their place back', async () => {
    const limit = createLimit(3);
    let running = 0;
    let most = 0;
    const work = async (index: number): Promise<number> => {
      running += 1;
      most = Math.max(most, running);
      await pause(2);
      running -= 1;
      if (index % 4 === 0) throw new Error('no');
      return index;
    };
    const ended = await Promise.allSettled(Array.from({ length: 40 }, (_, index) => limit(() => work(index))));
    expect(most).toBe(3);
    expect(ended.filter(({ status }) => status === 'rejected')).toHaveLength(10);
  });

  it('given questions at any time, when they are coalesced, then no answer is older than its question', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 25 }), async (gaps) => {
        let begun = 0;
        let runs = 0;
        const ask = coalesced(async () => {
          const mine = (begun += 1);
          runs += 1;
          await pause(2);
          if (mine % 5 === 0) throw new Error('no');
          return mine;
        });
        const answers: Promise<void>[] = [];
        for (const gap of gaps) {
          if (gap > 0) await pause(gap);
          const asked = begun;
          answers.push(
            ask().then(
              (answer) => expect(answer).toBeGreaterThan(asked),
              (error: unknown) => expect(String(error)).toContain('no'),
            ),
          );
        }
        await Promise.all(answers);
        expect(runs).toBeLessThanOrEqual(Math.max(1, gaps.length));
      }),
      { numRuns: 30 },
    );
  });
});
