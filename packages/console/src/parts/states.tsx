// What stands where data will be, is not, or cannot be: loading, empty, refused, failed.
import type { Problem } from '@powernode/core/errors';
import type { ReactNode } from 'react';
import { problemOfThrown } from '../api/problem.ts';
import { Button } from './button.tsx';
import { Icon, type IconName } from './icon.tsx';
import type { Tone } from './status.tsx';

export function Skeleton({ lines = 6, what }: { readonly lines?: number; readonly what: string }) {
  return (
    <div className="skeleton" role="status" aria-label={`Loading ${what}`}>
      {Array.from({ length: lines }, (_, line) => (
        <div className="bone" key={line} style={{ width: `${96 - ((line * 29) % 40)}%` }} />
      ))}
    </div>
  );
}

export interface EmptyProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

export function Empty({ icon, title, children, action }: EmptyProps) {
  return (
    <div className="empty">
      <Icon name={icon} className="icon icon-large" />
      <h2>{title}</h2>
      {children === undefined ? null : <p>{children}</p>}
      {action}
    </div>
  );
}

export interface NoteProps {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly title?: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

export function Note({ tone, icon, title, children, action }: NoteProps) {
  return (
    <div className="note" data-tone={tone} role={tone === 'bad' ? 'alert' : undefined}>
      <Icon name={icon} />
      <div>
        {title === undefined ? null : <p className="note-title">{title}</p>}
        {children}
      </div>
      {action}
    </div>
  );
}

/** A refusal beside what it is about, such as a form. */
export function ProblemNote({ problem }: { readonly problem: Problem | null }) {
  if (problem === null) return null;
  const title = problem.code === 'validation_failed' ? 'Not accepted' : problem.title;
  return (
    <Note tone="bad" icon="alert" title={title}>
      {problem.detail}
    </Note>
  );
}

export interface AbsentProps {
  readonly what: string;
  /** null: it is on its way. */
  readonly error: unknown;
  readonly retry: () => void;
}

/** Instead of one object that is not there yet, or could not be had. */
export function Absent({ what, error, retry }: AbsentProps) {
  return error === null ? <Skeleton what={what} /> : <Failure error={error} retry={retry} />;
}

/** Instead of data that could not be had. */
export function Failure({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const problem = problemOfThrown(error);
  if (problem.code === 'permission_denied') return <Forbidden problem={problem} />;
  if (problem.code === 'not_found') {
    return (
      <Empty icon="filter" title="Not found">
        {problem.detail} It may have been deleted, or it belongs to another account.
      </Empty>
    );
  }
  const away = problem.code === 'platform_unreachable';
  return (
    <div role="alert">
      <Empty
        icon={away ? 'offline' : 'alert'}
        title={problem.title}
        action={
          retry === undefined ? null : (
            <Button icon="refresh" onClick={retry}>
              Try again
            </Button>
          )
        }
      >
        {problem.detail}
        {away ? ' This page retries automatically.' : null}
      </Empty>
    </div>
  );
}

function Forbidden({ problem }: { readonly problem: Problem }) {
  const permission = problem['permission'];
  return (
    <Empty icon="lock" title="No permission">
      {typeof permission === 'string' ? (
        <>
          This requires the permission <code>{permission}</code>, which your token does not have.{' '}
        </>
      ) : null}
      {problem.detail}
    </Empty>
  );
}

export interface LoadedProps<T> {
  readonly what: string;
  readonly data: T | undefined;
  readonly error: unknown;
  readonly retry?: () => void;
  readonly children: (data: T) => ReactNode;
}

/** Shows data as soon as there is some, and keeps showing it while a renewal fails: the banner says how old it is. */
export function Loaded<T>({ what, data, error, retry, children }: LoadedProps<T>) {
  if (data !== undefined) return children(data);
  if (error !== null) return <Failure error={error} {...(retry === undefined ? {} : { retry })} />;
  return <Skeleton what={what} />;
}
