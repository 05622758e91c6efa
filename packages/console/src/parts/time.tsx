// Times that stay true while one looks at them.
import { useNow } from './clock.ts';
import { formatAge, formatDateTime } from './format.ts';

/** How long ago or how soon; the exact time is the tooltip. */
export function Ago({ at }: { readonly at: string | null }) {
  const now = useNow();
  if (at === null) return <span className="muted">never</span>;
  return (
    <time className="num" dateTime={at} title={formatDateTime(at)}>
      {formatAge(at, now)}
    </time>
  );
}

export function DateTime({ at }: { readonly at: string | null }) {
  if (at === null) return <span className="muted">—</span>;
  return (
    <time className="num" dateTime={at}>
      {formatDateTime(at)}
    </time>
  );
}
