// The frame that stays while pages change.
import { Outlet, useRouterState } from '@tanstack/react-router';
import { Dialog } from 'radix-ui';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { IconButton } from '../parts/button.tsx';
import { Brandmark } from '../parts/icon.tsx';
import { ConnectionBanner, ConnectionMark } from './connection-view.tsx';
import { Keyboard } from './keyboard.tsx';
import { ShownOnce } from './shown-once-view.tsx';
import { Side } from './side.tsx';
import { Toasts } from './toasts-view.tsx';

export function Shell() {
  return (
    <Frame>
      <Outlet />
    </Frame>
  );
}

export function Frame({ children }: { readonly children: ReactNode }) {
  const main = useRef<HTMLElement>(null);
  useFocusOnNewPage(main);
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <div className="shell">
        <header className="topbar">
          <Drawer />
          <span className="brand">
            <Brandmark />
            Powernode
          </span>
          <ConnectionMark />
        </header>
        <Side />
        <main className="main" id="main" ref={main} tabIndex={-1}>
          <ConnectionBanner />
          {children}
        </main>
      </div>
      <Keyboard />
      <ShownOnce />
      <Toasts />
    </>
  );
}

/** After one has gone to another page, the keyboard goes on from there and a screen reader reads it. */
function useFocusOnNewPage(main: React.RefObject<HTMLElement | null>): void {
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname ?? null });
  const before = useRef<string | null>(null);
  useEffect(() => {
    if (before.current !== null && path !== before.current) main.current?.focus({ preventScroll: true });
    before.current = path;
  }, [path, main]);
}

/** The sidebar on narrow screens. */
function Drawer() {
  const [open, setOpen] = useState(false);
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger asChild>
        <IconButton icon="menu" label="Menu" />
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="veil" />
        <Dialog.Content className="drawer" aria-describedby={undefined}>
          <Dialog.Title className="sr-only">Menu</Dialog.Title>
          <Side onNavigate={() => setOpen(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
