// The operation that is under way on an instance, such as its drain: how far it is, what it waits for, and how it ended.
import { useState } from 'react';
import type { Output } from '../../api/client.ts';
import { useMay } from '../../app/permissions.ts';
import { useOne } from '../../app/use-one.ts';
import { useRows } from '../../app/use-rows.ts';
import { Facts } from '../../parts/facts.tsx';
import { Section } from '../../parts/page.tsx';
import { Status, type StatusProps } from '../../parts/status.tsx';
import { Ago, DateTime } from '../../parts/time.tsx';

type Operation = Output<'getOperation'>['operation'];

const looks: Readonly<Record<Operation['state'], StatusProps>> = {
  queued: { tone: 'wait', shape: 'dotted', text: 'queued' },
  running: { tone: 'info', shape: 'half', text: 'running', moving: true },
  succeeded: { tone: 'ok', shape: 'tick', text: 'succeeded' },
  failed: { tone: 'bad', shape: 'triangle', text: 'failed' },
  cancelled: { tone: 'idle', shape: 'cross', text: 'cancelled' },
};

const isOver = ({ state }: Operation) => state !== 'queued' && state !== 'running';

export interface InstanceOperationProps {
  readonly instanceId: string;
  /** The one that was started on this page; null: none was. */
  readonly startedId: string | null;
}

/** Nothing while no operation runs; one that was seen to run stays until the page is left. */
export function InstanceOperation({ instanceId, startedId }: InstanceOperationProps) {
  const enabled = useMay('listOperations');
  const running = useRows('listOperations', { state: 'running' }, { enabled });
  const queued = useRows('listOperations', { state: 'queued' }, { enabled });
  const [seenId, setSeenId] = useState<string | null>(null);
  const found = [...running.rows, ...queued.rows].find((one) => one.subject_id === instanceId)?.id ?? null;
  if (found !== null && found !== seenId) setSeenId(found);
  const operationId = found ?? startedId ?? seenId;
  const { data } = useOne(
    'operations',
    'getOperation',
    { operation_id: operationId ?? '' },
    { enabled: enabled && operationId !== null, busy: ({ operation }) => !isOver(operation) },
  );
  if (data === undefined) return null;
  const { operation } = data;
  return (
    <Section title="Operation" aside={<Status {...looks[operation.state]} chip />}>
      <div className="panel">
        <Facts
          facts={[
            ['Kind', operation.kind.replaceAll('_', ' ')],
            ['Summary', operation.summary],
            ['Progress', progressOf(operation)],
            ['Started', <Ago key="s" at={operation.created_at} />],
            ['Requested by', operation.requested_by.name],
            ['Ended', isOver(operation) ? <DateTime key="e" at={operation.ended_at} /> : null],
            ['Outcome', isOver(operation) ? outcomeOf(operation) : null],
          ]}
        />
      </div>
    </Section>
  );
}

function progressOf({ steps, step, steps_done: done, detail }: Operation): string {
  const current = step === null ? '' : `: ${step.replaceAll('_', ' ')}`;
  return `${done} of ${steps.length} steps${current}${detail === null ? '' : `. ${detail}`}`;
}

const outOfDate = 'Instances that do not have the change yet';

/** What a drain left undone. Operations that ended before a rename have the earlier name. */
const resultWords: Readonly<Record<string, string>> = {
  virtual_ips_left: 'Virtual IPs without another holder',
  instances_out_of_date: outOfDate,
  machines_not_told: outOfDate,
};

/** What its result names is what it could not do. */
function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function outcomeOf({ state, result, error }: Operation): string {
  if (state === 'failed') return textOf(error?.['detail']) ?? textOf(error?.['title']) ?? 'It failed.';
  if (state === 'cancelled') return 'Cancelled. What its steps had done by then stays.';
  const left = Object.entries(result ?? {}).flatMap(([name, value]) => {
    const names = Array.isArray(value) ? value.map(nameOf) : [];
    return names.length === 0 ? [] : `${resultWords[name] ?? name.replaceAll('_', ' ')}: ${names.join(', ')}`;
  });
  return left.length === 0 ? 'Nothing is left to do.' : left.join('; ');
}

function nameOf(value: unknown): string {
  const { name } = (typeof value === 'object' && value !== null ? value : {}) as { readonly name?: unknown };
  return typeof name === 'string' ? name : String(value);
}
