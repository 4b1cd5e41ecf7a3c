import { describe, expect, it } from '@jest/globals';
import { createOutboxCore, type OutboxEffect } from '@bluewave/sdk';
import fc from 'fast-check';

type Item = { id: string; conversationId: string; kind: 'send' | 'edit'; target?: string };
type Effect = OutboxEffect<Item, string>;

/** A platform that takes each id once, behind a network that loses requests and answers. */
class Platform {
  readonly log = new Map<string, string[]>();
  readonly refused = new Set<string>();

  take({ id, conversationId, target }: Item, refuse: boolean): 'done' | 'refused' {
    const log = this.log.get(conversationId) ?? [];
    this.log.set(conversationId, log);
    if (this.refused.has(id)) return 'refused';
    if (log.some((one) => one.startsWith(`${id}>`))) return 'done';
    if (refuse) {
      this.refused.add(id);
      return 'refused';
    }
    log.push(`${id}>${target ?? ''}`);
    return 'done';
  }
}

type Plan = ('add' | 'edit' | 'serve' | 'refuse' | 'loseRequest' | 'loseAnswer' | 'wait' | 'reconnect' | 'restart')[];

function play(plan: Plan): { violations: string[]; platform: Platform; open: Item[]; added: Item[] } {
  const platform = new Platform();
  const added: Item[] = [];
  const over = new Set<string>();
  const violations: string[] = [];
  let kept: Item[] = [];
  let core = createOutboxCore<Item, string>();
  let attempts: Item[] = [];
  let waits: string[] = [];
  const carryOut = (effects: Effect[]): void => {
    for (const effect of effects) {
      if (effect.type === 'attempt') {
        if (attempts.some((one) => one.conversationId === effect.item.conversationId)) violations.push('two at once');
        attempts.push(effect.item);
      }
      if (effect.type === 'wait') waits.push(effect.conversationId);
      if (effect.type === 'retarget') {
        kept = kept.map((one) => (one.id === effect.id ? { ...one, target: effect.target } : one));
      }
      if (effect.type === 'resolve' || effect.type === 'reject') {
        if (over.has(effect.id)) violations.push(`${effect.id} ended twice`);
        over.add(effect.id);
        kept = kept.filter(({ id }) => id !== effect.id);
      }
    }
  };
  const add = (item: Item): void => {
    added.push(item);
    kept.push(item);
    carryOut(core.handle({ type: 'add', item }));
  };
  const serve = (refuse: boolean, answered: boolean): void => {
    const item = attempts.shift();
    if (!item) return;
    const outcome = platform.take(item, refuse);
    if (!answered) carryOut(core.handle({ type: 'lost', id: item.id }));
    else if (outcome === 'done') carryOut(core.handle({ type: 'done', id: item.id, messageId: `M-${item.id}` }));
    else carryOut(core.handle({ type: 'refused', id: item.id, problem: 'no', retryable: false }));
  };
  const connect = (): void => {
    attempts = [];
    carryOut(core.handle({ type: 'disconnected' }));
    carryOut(core.handle({ type: 'connected' }));
  };
  connect();
  for (const [turn, step] of plan.entries()) {
    const conversationId = `c${turn % 2}`;
    if (step === 'add') add({ id: `s${turn}`, conversationId, kind: 'send' });
    const last = added.findLast((one) => one.conversationId === conversationId && one.kind === 'send');
    if (step === 'edit' && last && !over.has(last.id)) {
      add({ id: `e${turn}`, conversationId, kind: 'edit', target: last.id });
    }
    if (step === 'serve' || step === 'refuse' || step === 'loseAnswer') serve(step === 'refuse', step !== 'loseAnswer');
    if (step === 'loseRequest') {
      const item = attempts.shift();
      if (item) carryOut(core.handle({ type: 'lost', id: item.id }));
    }
    if (step === 'wait')
      for (const id of waits.splice(0)) carryOut(core.handle({ type: 'waited', conversationId: id }));
    if (step === 'reconnect') connect();
    if (step === 'restart') {
      core = createOutboxCore<Item, string>(kept);
      waits = [];
      connect();
    }
  }
  for (let round = 0; round < 1_000 && kept.length > 0; round += 1) {
    serve(false, true);
    for (const id of waits.splice(0)) carryOut(core.handle({ type: 'waited', conversationId: id }));
  }
  return { violations, platform, open: kept, added };
}

describe('the outbox core', () => {
  it('given lost requests, lost answers, disconnections and restarts, when the network is good again, then everything was done once, in order for each conversation, and edits by the id of their message', () => {
    const step = fc.constantFrom(
      ...(['add', 'add', 'edit', 'serve', 'serve', 'refuse', 'loseRequest', 'loseAnswer', 'wait'] as const),
      ...(['reconnect', 'restart'] as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (plan) => {
        const { violations, platform, open, added } = play(plan);
        expect(violations).toEqual([]);
        expect(open).toEqual([]);
        for (const [conversationId, log] of platform.log) {
          const ids = log.map((one) => one.split('>')[0]);
          const order = added.filter((one) => one.conversationId === conversationId).map(({ id }) => id);
          expect(ids).toEqual(order.filter((id) => ids.includes(id)));
          for (const one of log.filter((entry) => entry.startsWith('e'))) expect(one).toMatch(/>M-s\d+$/);
        }
        const done = [...platform.log.values()].flat().map((one) => one.split('>')[0]);
        const refused = [...platform.refused];
        const dependents = added.filter(({ target }) => target && refused.includes(target)).map(({ id }) => id);
        expect(new Set([...done, ...refused, ...dependents])).toEqual(new Set(added.map(({ id }) => id)));
      }),
      { numRuns: 1_000 },
    );
  });
});
