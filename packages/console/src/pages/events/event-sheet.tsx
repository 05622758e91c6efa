// One event: who, when, and the object before and after.
import { type Event, subjectOf, turnOf } from '../../api/event.ts';
import { Copyable } from '../../parts/copy.tsx';
import { Sheet } from '../../parts/dialog.tsx';
import { Diff } from '../../parts/diff.tsx';
import { type Fact, Facts } from '../../parts/facts.tsx';
import { Section } from '../../parts/page.tsx';
import { SeverityMark } from '../../parts/statuses.tsx';
import { DateTime } from '../../parts/time.tsx';

export function EventSheet({ event, onClose }: { readonly event: Event; readonly onClose: () => void }) {
  const { before, after } = turnOf(event);
  const { before: _before, after: _after, ...rest } = event.payload;
  const more = Object.entries(rest);
  return (
    <Sheet title={event.kind} onClose={onClose}>
      <div className="row">
        <SeverityMark severity={event.severity} chip />
        <strong>{subjectOf(event)}</strong>
      </div>
      <Facts
        facts={[
          ['Time', <DateTime key="w" at={event.at} />],
          ['Actor', `${event.actor.name} (${event.actor.kind})`],
          ['Correlation ID', <Copyable key="c" text={event.correlation_id} label="the correlation ID" />],
          ['Event ID', <Copyable key="i" text={event.id} label="the event ID" />],
        ]}
      />
      {before === null && after === null ? null : (
        <Section title="Before and after">
          <Diff before={before} after={after} />
        </Section>
      )}
      {more.length === 0 ? null : (
        <Section title="Details">
          <Facts facts={more.map(([name, value]): Fact => [name, textOf(value)])} />
        </Section>
      )}
    </Sheet>
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value, null, 1) ?? '');
}
