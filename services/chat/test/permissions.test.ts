import { describe, expect, it } from '@jest/globals';
import { type Action, actions, mayDo, outranks } from '../src/conversations/permissions.ts';
import type { ConversationType, Role } from '../src/log/entry.ts';
import { roles, types } from './support/rules.ts';

/** Who may do what, said once more: the roles whose row has an x, in the order of `roles`. */
const shared: Record<Action, string> = {
  send: 'xxxx',
  'mention-all': 'xxx-',
  'skip-slow-mode': 'xxx-',
  'pin-message': 'xxx-',
  'see-receipts': 'xxx-',
  'delete-any-message': 'xxx-',
  leave: 'xxxx',
  'add-member': 'xx--',
  'remove-member': 'xxx-',
  ban: 'xxx-',
  'change-role': 'xx--',
  update: 'xx--',
  delete: 'x---',
  'transfer-ownership': 'x---',
};
const inDirect: Record<Action, string> = {
  send: 'xxxx',
  'mention-all': 'xxxx',
  'skip-slow-mode': 'xxxx',
  'pin-message': 'xxxx',
  'see-receipts': '----',
  'delete-any-message': '----',
  leave: '----',
  'add-member': '----',
  'remove-member': '----',
  ban: '----',
  'change-role': '----',
  update: '----',
  delete: '----',
  'transfer-ownership': '----',
};
const expected: Record<ConversationType, Record<Action, string>> = { direct: inDirect, group: shared, room: shared };

describe('given the table of permissions', () => {
  const cases = types.flatMap((type) =>
    actions.flatMap((action) =>
      roles.map((role, index): [Role, Action, ConversationType, boolean] => [
        ...([role, action, type] as const),
        expected[type][action][index] === 'x',
      ]),
    ),
  );

  it('then every action of every role in every type is here', () => {
    expect(cases).toHaveLength(4 * 3 * actions.length);
    expect(Object.keys(shared).sort()).toEqual([...actions].sort());
  });

  it.each(cases)('when a %s wants to %s in a %s, then that is %s', (role, action, type, allowed) => {
    expect(mayDo(type, role, action)).toBe(allowed);
  });

  it('then a role stands only above lower ones', () => {
    const above = roles.map((role) => roles.filter((other) => outranks(role, other)));
    expect(above).toEqual([['admin', 'moderator', 'member'], ['moderator', 'member'], ['member'], []]);
  });
});
