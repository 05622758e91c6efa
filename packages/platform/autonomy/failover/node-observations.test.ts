// What is known of a node by several processes: what one of them no longer reports is over.
import type { InstanceId } from '@powernode/core/ids';
import { expect, test } from 'vitest';
import { NodeObservations } from './node-observations.ts';

const node = '01890000-0000-7000-8000-000000000001' as InstanceId;
const failing = { health: 'failing', lastError: 'refused' } as const;

function observed() {
  const observations = new NodeObservations(() => 0);
  const heard: string[] = [];
  observations.listener = {
    instanceChanged: () => undefined,
    reported: () => undefined,
    checked: (_, virtualIpId) => heard.push(virtualIpId),
  };
  const hear = (process: string, checks: { virtualIpId: string; check: typeof failing }[] | undefined) =>
    observations.see(process, {
      ...{ instanceId: node, stream: 's', applied: null, words: [] },
      ...(checks === undefined ? {} : { checks }),
    });
  return { observations, heard, hear };
}

test('a check that a process no longer reports is over, and counts anew when it fails again', () => {
  const { observations, heard, hear } = observed();
  hear('b', [{ virtualIpId: 'v', check: failing }]);
  expect(observations.checkOf(node, 'v')).toEqual(failing);
  hear('b', []);
  expect(observations.checkOf(node, 'v')).toBeNull();
  hear('b', [{ virtualIpId: 'v', check: failing }]);
  expect(observations.checkOf(node, 'v')).toEqual(failing);
  expect(heard).toEqual(['v', 'v', 'v']);
});

test('a report that says nothing of checks leaves them', () => {
  const { observations, hear } = observed();
  hear('b', [{ virtualIpId: 'v', check: failing }]);
  hear('b', undefined);
  expect(observations.checkOf(node, 'v')).toEqual(failing);
});

test('what a process says of checks goes on to others whole, also when there are none', () => {
  const { observations, hear } = observed();
  hear('a', []);
  expect(observations.report('a', node)).toMatchObject({ checks: [] });
  hear('a', [{ virtualIpId: 'v', check: failing }]);
  expect(observations.report('a', node)).toMatchObject({ checks: [{ virtualIpId: 'v', check: failing }] });
});
