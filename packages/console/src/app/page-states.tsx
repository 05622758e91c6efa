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
    <Page title="No such page">
      <Empty
        icon="help"
        title="There is nothing at this address"
        action={
          <Link className="button" data-variant="primary" to="/networks">
            Go to the networks
          </Link>
        }
      >
        Check the address, or press <kbd>?</kbd> for where one can go.
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
          outdated ? 'A newer version is there, or the platform is away' : 'The fault is the console’s own'
        }
        action={
          <div className="row">
            <Button variant="primary" icon="refresh" onClick={() => window.location.reload()}>
              Load it again
            </Button>
            <Button onClick={reset}>Try without loading</Button>
          </div>
        }
      >
        {said}
      </Empty>
    </Page>
  );
}
