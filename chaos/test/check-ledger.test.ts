import { describe, expect, it } from '@jest/globals';
import { checkLedger } from '../src/check-ledger.ts';
import type { Ledger, Log, SeenEntry } from '../src/ledger.ts';

const conversationId = 'c';
const message = (seq: number, senderId = 'alice'): SeenEntry => ({
  conversationId,
  seq,
  type: 'message:new',
  clientMsgId: `m${seq}`,
  senderId,
});

/** A run in which every guarantee held; each test breaks one thing of it. */
function cleanRun(): { ledger: Ledger; log: Log } {
  const entries: SeenEntry[] = [
    { conversationId, seq: 1, type: 'member:added', userIds: ['alice', 'bob', 'carol'] },
    message(2),
    message(3),
    message(4),
  ];
  return {
    log: new Map([[conversationId, entries]]),
    ledger: {
      acked: [2, 3, 4].map((seq) => ({ conversationId, seq, senderId: 'alice', clientMsgId: `m${seq}` })),
      unresolved: [],
      absences: [],
      devices: [{ device: 'bobs', userId: 'bob', applied: [...entries], arrived: [] }],
      members: new Map([[conversationId, new Set(['alice', 'bob', 'carol'])]]),
      phones: [
        {
          token: 'carols',
          userId: 'carol',
          conversationIds: [conversationId],
          received: new Set(['c:2', 'c:3', 'c:4']),
        },
      ],
    },
  };
}

const clean = { lost: 0, duplicated: 0, reordered: 0, holes: 0, afterRemoval: 0, unnotified: 0, unresolved: 0 };

describe('checking a ledger', () => {
  it('given a run without faults, then nothing is found', () => {
    const { ledger, log } = cleanRun();
    expect(checkLedger(ledger, log)).toEqual({ ...clean, examples: [] });
  });

  it('given an acked message that the log does not have, then it is lost', () => {
    const { ledger, log } = cleanRun();
    log.get(conversationId)?.pop();
    ledger.devices = [];
    expect(checkLedger(ledger, log)).toMatchObject({ ...clean, lost: 1 });
  });

  it('given an acked seq that belongs to another message, then it is lost', () => {
    const { ledger, log } = cleanRun();
    log.set(conversationId, [...(log.get(conversationId) ?? []).slice(0, 3), { ...message(4), clientMsgId: 'other' }]);
    ledger.devices = [];
    expect(checkLedger(ledger, log)).toMatchObject({ ...clean, lost: 1 });
  });

  it('given a device that missed an entry, then it is lost', () => {
    const { ledger, log } = cleanRun();
    ledger.devices[0]?.applied.splice(2, 1);
    expect(checkLedger(ledger, log)).toMatchObject({ ...clean, lost: 1 });
  });

  it('given a client id twice in the log, then it is duplicated', () => {
    const { ledger, log } = cleanRun();
    log.get(conversationId)?.push({ ...message(5), clientMsgId: 'm4' });
    ledger.devices = [];
    expect(checkLedger(ledger, log)).toMatchObject({ ...clean, duplicated: 1 });
  });

  it('given a device that applied an entry twice, then it is duplicated', () => {
    const { ledger, log } = cleanRun();
    ledger.devices[0]?.applied.push(message(4));
    expect(checkLedger(ledger, log)).toMatchObject({ ...clean, duplicated: 1 });
  });

  it('given a device that applied entries in another order, then they are reordered', () => {
    const { ledger, log } = cleanRun();
    ledger.devices[0]?.applied.splice(2, 2, message(4), message(3));
    expect(checkLedger(ledger, log)).toMatchObject({ ...clean, reordered: 1 });
  });

  it('given a seq that is missing in the log, then there is a hole', () => {
    const { ledger, log } = cleanRun();
    log.get(conversationId)?.push(message(6));
    ledger.devices = [];
    expect(checkLedger(ledger, log)).toMatchObject({ ...clean, holes: 1 });
  });

  it('given a message of somebody who was removed, then it came after the removal', () => {
    const { ledger, log } = cleanRun();
    log.get(conversationId)?.push({ conversationId, seq: 5, type: 'member:removed', userId: 'alice' }, message(6));
    ledger.devices = [];
    expect(checkLedger(ledger, log)).toMatchObject({ ...clean, afterRemoval: 1 });
  });

  it('given an entry that reached a device while its user was out, then it came after the removal', () => {
    const { ledger, log } = cleanRun();
    ledger.absences.push({ conversationId, userId: 'bob', removedSeq: 3, from: 100, until: 200 });
    ledger.devices[0]?.arrived.push(
      { conversationId, seq: 4, at: 150 },
      { conversationId, seq: 3, at: 150 },
      { conversationId, seq: 4, at: 250 },
    );
    expect(checkLedger(ledger, log)).toMatchObject({ ...clean, afterRemoval: 1 });
  });

  it('given an acked message that a phone was not sent, then it is unnotified', () => {
    const { ledger, log } = cleanRun();
    ledger.phones[0]?.received.delete('c:3');
    expect(checkLedger(ledger, log)).toMatchObject({ ...clean, unnotified: 1 });
  });

  it('given a send without an answer, then it is unresolved', () => {
    const { ledger, log } = cleanRun();
    ledger.unresolved.push({ conversationId, clientMsgId: 'm9', lastFailure: 'UNAVAILABLE' });
    expect(checkLedger(ledger, log)).toMatchObject({ ...clean, unresolved: 1 });
  });
});
