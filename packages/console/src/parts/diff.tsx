// The difference of an object before and after, as a person reads it.
import { useState } from 'react';
import { Button } from './button.tsx';
import { type DiffKind, type DiffLine, diffLines } from './diff.ts';
import { count } from './format.ts';
import type { Tone } from './status.tsx';

const marks: Readonly<
  Record<DiffKind, { readonly sign: string; readonly word: string; readonly tone?: Tone }>
> = {
  same: { sign: '', word: '' },
  added: { sign: '+', word: 'added', tone: 'ok' },
  removed: { sign: '−', word: 'removed', tone: 'bad' },
  changed: { sign: '~', word: 'changed', tone: 'wait' },
};

export function Diff({ before, after }: { readonly before: unknown; readonly after: unknown }) {
  const [all, setAll] = useState(false);
  const lines = diffLines(before, after);
  const same = lines.filter((line) => line.kind === 'same').length;
  const shown = all ? lines : lines.filter((line) => line.kind !== 'same');
  return (
    <div className="stack">
      {shown.length === 0 ? (
        <p className="muted">No changes.</p>
      ) : (
        <div className="diff">
          {shown.map((line) => (
            <Line key={line.path} line={line} />
          ))}
        </div>
      )}
      {same === 0 ? null : (
        <div>
          <Button size="small" variant="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? 'Hide unchanged' : `Show ${count(same, 'unchanged field')}`}
          </Button>
        </div>
      )}
    </div>
  );
}

function Line({ line }: { readonly line: DiffLine }) {
  const { sign, word, tone } = marks[line.kind];
  return (
    <div className="diff-line" data-tone={tone}>
      <span>
        <span aria-hidden="true">{sign}</span>
        <span className="sr-only">{word}</span>
      </span>
      <span className="diff-name">{line.path}</span>
      <span>
        {line.kind === 'changed' ? (
          <>
            <del>{line.before}</del> → <ins>{line.after}</ins>
          </>
        ) : (
          (line.after ?? line.before)
        )}
      </span>
    </div>
  );
}
