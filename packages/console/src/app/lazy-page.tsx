// Pages and parts whose code comes when they are first shown. The router's own lazy component loads the whole console
// again when code cannot be had, which would lose it while the platform is away; this one waits for the platform.
import { consolePollBusyMs } from '@powernode/core/limits/console';
import { type ComponentType, type ReactNode, useEffect, useState } from 'react';
import { connection } from './connection.ts';
import { PageFailed, PageLoading } from './page-states.tsx';
import { useStore } from './store.ts';

type Module<Name extends string, Props> = { readonly [N in Name]: ComponentType<Props> };

/** A laptop that changes its network drops what is under way, so a failure is tried again before it is shown. */
const triesMax = 3;
const fetches: (() => Promise<unknown>)[] = [];

export function lazyPage<Name extends string>(
  importModule: () => Promise<Module<Name, object>>,
  name: Name,
): (props: object) => ReactNode {
  return lazyPart(importModule, name, <PageLoading />);
}

export function lazyPart<Name extends string, Props extends object>(
  importModule: () => Promise<Module<Name, Props>>,
  name: Name,
  meanwhile: ReactNode,
): (props: Props) => ReactNode {
  let part: ComponentType<Props> | null = null;

  async function fetchPart(): Promise<ComponentType<Props>> {
    part ??= (await importModule())[name];
    return part;
  }

  function Lazy(props: Props): ReactNode {
    const [Part, setPart] = useState<ComponentType<Props> | null>(() => part);
    const [failures, setFailures] = useState<readonly unknown[]>([]);
    const away = useStore(connection).state === 'lost';
    const tired = failures.length >= triesMax;
    useEffect(() => {
      if (Part !== null || away || tired) return;
      let wanted = true;
      const timer = setTimeout(
        () => {
          fetchPart().then(
            (found) => wanted && setPart(() => found),
            (error: unknown) => wanted && setFailures((before) => [...before, error]),
          );
        },
        failures.length === 0 ? 0 : consolePollBusyMs,
      );
      return () => {
        wanted = false;
        clearTimeout(timer);
      };
    }, [Part, away, tired, failures]);
    if (Part !== null) return <Part {...props} />;
    if (tired && !away) return <PageFailed error={failures.at(-1)} reset={() => setFailures([])} />;
    return meanwhile;
  }

  fetches.push(fetchPart);
  return Lazy;
}

/** Fetches all code that is known of one after the other, so that pages can be gone to while the platform is away. */
export async function fetchAllPages(): Promise<void> {
  for (const fetchPart of fetches) await fetchPart().catch(() => null);
}
