// Pages whose code comes when they are first gone to. The router's own lazy component loads the whole console again
// when code cannot be had, which would lose it while the platform is away; this one waits for the platform.
import { consolePollBusyMs } from '@powernode/core/limits';
import { type ComponentType, type ReactNode, useEffect, useState } from 'react';
import { connection } from './connection.ts';
import { PageFailed, PageLoading } from './page-states.tsx';
import { useStore } from './store.ts';

type Pages<Name extends string> = { readonly [N in Name]: ComponentType };

/** A laptop that changes its network drops what is under way, so a failure is tried again before it is shown. */
const triesMax = 3;
const fetches: (() => Promise<unknown>)[] = [];

export function lazyPage<Name extends string>(
  importPages: () => Promise<Pages<Name>>,
  name: Name,
): () => ReactNode {
  let page: ComponentType | null = null;

  async function fetchPage(): Promise<ComponentType> {
    page ??= (await importPages())[name];
    return page;
  }

  function Lazy(): ReactNode {
    const [Page, setPage] = useState<ComponentType | null>(() => page);
    const [failures, setFailures] = useState<readonly unknown[]>([]);
    const away = useStore(connection).state === 'lost';
    const tired = failures.length >= triesMax;
    useEffect(() => {
      if (Page !== null || away || tired) return;
      let wanted = true;
      const timer = setTimeout(
        () => {
          fetchPage().then(
            (found) => wanted && setPage(() => found),
            (error: unknown) => wanted && setFailures((before) => [...before, error]),
          );
        },
        failures.length === 0 ? 0 : consolePollBusyMs,
      );
      return () => {
        wanted = false;
        clearTimeout(timer);
      };
    }, [Page, away, tired, failures]);
    if (Page !== null) return <Page />;
    if (tired && !away) return <PageFailed error={failures.at(-1)} reset={() => setFailures([])} />;
    return <PageLoading />;
  }

  fetches.push(fetchPage);
  return Lazy;
}

/** Fetches the code of all pages one after the other, so that they can be gone to while the platform is away. */
export async function fetchAllPages(): Promise<void> {
  for (const fetchPage of fetches) await fetchPage().catch(() => null);
}
