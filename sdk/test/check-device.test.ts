import { describe, expect, it } from '@jest/globals';
import type { Entry } from '@bluewave/sdk';
import { type Checked, checkDevice, type Violations } from './network/check-device.ts';
import { aMessage } from './support/objects.ts';

const entry = (seq: number, text = `text ${seq}`): Entry => ({
  conversationId: 'c1',
  seq,
  actor: 'u1',
  at: '2026-01-31T12:00:00.000Z',
  type: 'message:new',
  message: aMessage({ seq, text }),
});
const log = [1, 2, 3, 4].map((seq) => entry(seq));
const sentAs = (...seqs: number[]) =>
  seqs.map((seq) => ({ conversationId: 'c1', key: `m${seq}`, text: `text ${seq}` }));

function check(given: { saw?: Entry[]; sent?: Checked['sent']; log?: Entry[] }): Omit<Violations, 'examples'> {
  const violations: Violations = { lost: 0, duplicated: 0, reordered: 0, different: 0, unsent: 0, examples: [] };
  const stays = [{ conversationId: 'c1', entries: given.saw ?? log }];
  const device = { name: 'device', userId: 'u1', stays, sent: given.sent ?? sentAs(1, 2, 3, 4) };
  checkDevice(device, new Map([['c1', given.log ?? log]]), violations);
  const { examples, ...counts } = violations;
  expect(examples.length).toBe(Object.values(counts).reduce((sum, one) => sum + one, 0));
  return counts;
}
const nothing = { lost: 0, duplicated: 0, reordered: 0, different: 0, unsent: 0 };
const saw = (...seqs: number[]) => ({ saw: seqs.map((seq) => entry(seq)) });

describe('the check of the network chaos', () => {
  it('given a device that saw the log, when it is checked, then nothing is found', () => {
    expect(check({})).toEqual(nothing);
  });

  it('given something lost, doubled, out of order or different on purpose, when it is checked, then it is found', () => {
    expect(check(saw(1, 3, 4))).toEqual({ ...nothing, lost: 1 });
    expect(check(saw(2, 3, 4))).toEqual({ ...nothing, lost: 1 });
    expect(check(saw(1, 2, 2, 3, 4))).toEqual({ ...nothing, duplicated: 1 });
    expect(check(saw(1, 2, 3, 4, 1))).toEqual({ ...nothing, reordered: 1 });
    const other = { ...entry(4), message: aMessage({ seq: 4, clientMsgId: 'other' }) } as Entry;
    expect(check({ saw: [...log.slice(0, 3), other] })).toEqual({ ...nothing, different: 1 });
  });

  it('given sends that are missing, doubled, out of order or not as edited, when they are checked, then they are found', () => {
    expect(check({ sent: sentAs(1, 2, 9) })).toEqual({ ...nothing, unsent: 1 });
    expect(check({ sent: sentAs(2, 1) })).toEqual({ ...nothing, reordered: 1 });
    const twice = { ...entry(5), message: aMessage({ seq: 5, clientMsgId: 'm1', text: 'text 1' }) } as Entry;
    expect(check({ log: [...log, twice], sent: sentAs(1) })).toEqual({ ...nothing, duplicated: 1 });
    expect(check({ sent: [{ conversationId: 'c1', key: 'm1', text: 'text 1!' }] })).toEqual({
      ...nothing,
      different: 1,
    });
  });
});
