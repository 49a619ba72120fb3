import { expect, test } from '@jest/globals';
import type { ShimEvent } from '../../worker/dbt/protocol.ts';
import { maskEvent } from '../../worker/mask-event.ts';
import { createMask } from '../../worker/masking.ts';

const secret = 'hunter2-hunter2';

test('a secret is masked however deep it is in what dbt was told, names included', () => {
  const event: ShimEvent = {
    event: 'invocation',
    step: 1,
    invocation_id: 'x',
    dbt_version: '1.11.16',
    arguments: { which: 'build', vars: { [secret]: [{ key: `a${secret}b`, count: 1, nothing: null }] } },
  };
  const masked = maskEvent(event, createMask([secret]));
  expect(masked).toEqual({
    ...event,
    arguments: { which: 'build', vars: { '*****': [{ key: 'a*****b', count: 1, nothing: null }] } },
  });
});

test('a secret is masked in the nodes that are to come', () => {
  const nodes: [string, string, string | null][] = [['model.shop.a', 'model', `"db"."${secret}"."a"`]];
  const masked = maskEvent({ event: 'nodes_selected', step: 1, nodes }, createMask([secret]));
  expect(masked).toMatchObject({ nodes: [['model.shop.a', 'model', '"db"."*****"."a"']] });
});
