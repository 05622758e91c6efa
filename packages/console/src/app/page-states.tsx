// Pages that stand for others: on their way, broken, not there.
import { Link } from '@tanstack/react-router';
import { Button } from '../parts/button.tsx';
import { Page } from '../parts/page.tsx';
import { Empty, Skeleton } from '../parts/states.tsx';

export function PageLoading() {
  return (
    <div className="page">
      <Skeleton what="the page" />
    </div>
  );
}

export function NotFoundPage() {
  return (
    <Page title="Page not found">
      <Empty
        icon="help"
        title="Nothing is at this address"
        action={
          <Link className="button" data-variant="primary" to="/networks">
            Go to networks
          </Link>
        }
      >
        Check the address, or press <kbd>?</kbd> for the keyboard shortcuts.
      </Empty>
    </Page>
  );
}

/** A page whose code failed, or could not be fetched: after an update of the platform the old parts are gone. While
 * the platform is only away, the code is fetched as soon as it is back. */
export function PageFailed({ error, reset }: { readonly error: unknown; readonly reset: () => void }) {
  const said = error instanceof Error ? error.message : String(error);
  const outdated = /dynamically imported module|module script/i.test(said);
  return (
    <Page title={outdated ? 'The console was updated' : 'This page failed'}>
      <Empty
        icon={outdated ? 'refresh' : 'alert'}
        title={
          outdated
            ? 'A newer version was deployed, or the platform is unreachable'
            : 'This is a bug in the console'
        }
        action={
          <div className="row">
            <Button variant="primary" icon="refresh" onClick={() => window.location.reload()}>
              Reload
            </Button>
            <Button onClick={reset}>Retry without reloading</Button>
          </div>
        }
      >
        {said}
      </Empty>
    </Page>
  );
}
