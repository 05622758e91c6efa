// The frame of a page: its place, its name, what can be done there.
import { type ReactNode, useEffect } from 'react';

export interface PageProps {
  readonly title: string;
  readonly intro?: ReactNode;
  /** Links to the pages above this one. */
  readonly crumbs?: ReactNode;
  /** Stands beside the title: the state of what the page is about. */
  readonly marks?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

export function Page({ title, intro, crumbs, marks, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Powernode`;
  }, [title]);
  return (
    <div className="page">
      <header className="page-head">
        <div className="page-head-text">
          {crumbs === undefined ? null : (
            <nav className="crumbs" aria-label="Breadcrumb">
              {crumbs}
            </nav>
          )}
          <div className="row">
            <h1>{title}</h1>
            {marks}
          </div>
          {intro === undefined ? null : <p className="page-intro">{intro}</p>}
        </div>
        {actions === undefined ? null : <div className="actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export interface SectionProps {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

export function Section({ title, aside, children }: SectionProps) {
  return (
    <section className="section" aria-label={title}>
      <div className="section-head">
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
